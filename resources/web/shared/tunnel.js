// Where the tunnel of this page is, and what tells who comes through it.

/** Returns where the tunnel is: one level above this page, whatever the address says beside its token. */
export function address() {
  const url = new URL("..", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.username = url.password = url.hash = url.search = "";
  const named = (text) => new URLSearchParams(text).get("token");
  const token = named(location.hash.slice(1)) ?? named(location.search);
  if (token) url.search = new URLSearchParams({ token });
  return url.href;
}

/** Goes to another of wsgui's pages of this tunnel, with the same token. */
export function goTo(page) {
  location.replace(`../${page}/${location.search}${location.hash}`);
}
