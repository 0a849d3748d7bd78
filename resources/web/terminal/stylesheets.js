// xterm.js writes the size of a cell and its colours into <style> elements and style attributes, which this page's policy
// forbids. Here the same rules go where only a script can put them: so no text that is shown can become a style.

class Rules extends HTMLElement {
  #sheet = new CSSStyleSheet();

  connectedCallback() {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet];
  }

  disconnectedCallback() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }

  set textContent(rules) {
    this.#sheet.replaceSync(rules);
  }
}

customElements.define("wsgui-rules", Rules);

const createElement = document.createElement.bind(document);
document.createElement = (name, options) => (name === "style" ? new Rules() : createElement(name, options));

const { setAttribute } = Element.prototype;
HTMLElement.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else setAttribute.call(this, name, value);
};
