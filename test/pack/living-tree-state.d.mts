export function stateOf(path: string, version: number, blocks: number): string;
export function isState(path: string, content: string | undefined): boolean;
