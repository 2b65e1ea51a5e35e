import { isRunningHolder, type LeaseHolder } from './lease-holder.ts';

/** Kernels before 5.3 tell nobody but the parent when a process ends, so they are looked at. */
const lookMilliseconds = 500;

/** The processes for which a mount is served. */
export class LeaseHolders {
  /** Resolves when the last holder has ended; never if somebody asked for the mount without a lease. */
  readonly gone: Promise<void>;
  #holders: LeaseHolder[];
  #timer: NodeJS.Timeout | undefined;

  /** `first` is undefined for a mount that stays until it is unmounted. */
  constructor(first: LeaseHolder | undefined) {
    this.#holders = first === undefined ? [] : [first];
    this.gone = new Promise((resolve) => {
      if (first !== undefined) this.#timer = setInterval(() => this.#look(resolve), lookMilliseconds).unref();
    });
  }

  /** Lets the mount live for `holder`, too; without one for ever. False if no such process runs, seen from here. */
  add(holder: LeaseHolder | undefined): boolean {
    if (holder !== undefined && !isRunningHolder(holder)) return false;
    if (holder === undefined) this.close();
    else if (this.#timer !== undefined) this.#holders.push(holder);
    return true;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#holders = [];
  }

  /** Only at the first that still runs, which is enough. */
  #look(end: () => void): void {
    while (this.#holders[0] !== undefined && !isRunningHolder(this.#holders[0])) this.#holders.shift();
    if (this.#holders.length > 0) return;
    this.close();
    end();
  }
}
