// Two soft notes. Without a tap before, browsers play nothing.

export function chime() {
  if (!('AudioContext' in window)) return;
  const audio = new AudioContext();
  for (const [note, at] of [[523, 0], [659, 0.25]]) {
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    tone.frequency.value = note;
    loud.gain.setValueAtTime(0.2, audio.currentTime + at);
    loud.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.6);
    tone.connect(loud).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.6);
  }
  setTimeout(() => audio.close(), 1500);
}
