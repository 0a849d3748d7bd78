// The desktop's bell, when somebody wants to hear it.

const PITCH_HZ = 880, SECONDS = 0.12;
let audio = null;

export function ring() {
  audio ??= new AudioContext();
  const tone = new OscillatorNode(audio, { frequency: PITCH_HZ }), loudness = new GainNode(audio, { gain: 0.08 });
  tone.connect(loudness).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + SECONDS);
}
