/** Largest distance from 1970 that a Date holds, in seconds (ECMA-262 §21.4.1.1). */
const maxDateSeconds = 8.64e12;

/** `2026-11-23 23:35` in local time; beyond the calendar of a Date `@` and the seconds. */
export function shortTime(seconds: number): string {
  const parts = localParts(seconds);
  return parts === undefined ? `@${seconds}` : `${parts.date} ${parts.time.slice(0, 5)}`;
}

/** `2026-11-23 23:35:29.123456789 +0100`, as stat(1) shows it. */
export function fullTime(seconds: number, nanoseconds: number): string {
  const fraction = String(nanoseconds).padStart(9, '0');
  const parts = localParts(seconds);
  return parts === undefined ? `@${seconds}.${fraction}` : `${parts.date} ${parts.time}.${fraction} ${parts.zone}`;
}

function localParts(seconds: number): { date: string; time: string; zone: string } | undefined {
  if (Math.abs(seconds) > maxDateSeconds) return undefined;
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  return {
    date: `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    time: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
    zone,
  };
}
