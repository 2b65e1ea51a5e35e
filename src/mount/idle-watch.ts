/** Looks in a timeout; so an idle mount ends after one timeout and a quarter at the latest. */
const looks = 4;

/** What setInterval takes, in milliseconds: 25 days. */
const longestInterval = 2 ** 31 - 1;

/**
 * Calls `unmount` when the number of requests has stayed the same for `seconds`, and again each time that they have passed anew for as long
 * as it returns false. Costs one timer.
 */
export class IdleWatch {
  readonly #timer: NodeJS.Timeout;
  #quiet = 0;

  constructor(seconds: number, requests: () => number, unmount: () => Promise<boolean>) {
    let seen = requests();
    this.#timer = setInterval(
      () => {
        const now = requests();
        this.#quiet = now === seen ? this.#quiet + 1 : 0;
        seen = now;
        if (this.#quiet < looks) return;
        this.#quiet = 0;
        void unmount().then((unmounted) => {
          if (unmounted) this.close();
        });
      },
      Math.min((seconds * 1000) / looks, longestInterval),
    ).unref();
  }

  /** Somebody is about to use the mount. */
  touch(): void {
    this.#quiet = 0;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
