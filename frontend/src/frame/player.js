/** Moves a number from where it is to 1 in `duration` ms, frame by frame; at once where motion is unwelcome. */
export class Player {
  /** @param {{duration: number, read: () => number, write: (place: number) => void, changed: (playing: boolean) => void}} options */
  constructor(options) {
    this.duration = options.duration;
    this.read = options.read;
    this.write = options.write;
    this.changed = options.changed;
    /** @type {number | undefined} */
    this.frame = undefined;
  }

  get playing() {
    return this.frame !== undefined;
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  play() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.write(this.read() >= 1 ? 0 : 1);
      return;
    }
    const from = this.read() >= 0.999 ? 0 : Math.max(this.read(), 0);
    let begin = NaN;
    const advance = (now) => {
      if (Number.isNaN(begin)) begin = now;
      const place = Math.min(from + (now - begin) / this.duration, 1);
      this.write(place);
      if (place >= 1) this.stop();
      else this.frame = requestAnimationFrame(advance);
    };
    this.frame = requestAnimationFrame(advance);
    this.changed(true);
  }

  /** Plays from the start. */
  restart() {
    this.stop();
    this.write(0);
    this.play();
  }

  stop() {
    if (this.frame === undefined) return;
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    this.changed(false);
  }
}
