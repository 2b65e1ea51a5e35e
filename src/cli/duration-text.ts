/** `0.42 s`, `12.3 s`, `4 min 05 s`, `7 h 05 min`, `12 d 07 h`. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return two(whole, 60, 'min', 1, 's');
  return whole < 86_400 ? two(whole, 3600, 'h', 60, 'min') : two(whole, 86_400, 'd', 3600, 'h');
}

function two(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeName} ${String(rest).padStart(2, '0')} ${smallName}`;
}
