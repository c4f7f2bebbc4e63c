export function compileEagerly(code: string): string;
