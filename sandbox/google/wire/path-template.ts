/**
 * Path templates of google.api.http in, matchers of URL paths out.
 * @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto (path template syntax)
 */

export interface PathTemplate {
  /** Undefined when the path does not fit; else the bound fields, percent-decoded. */
  match(path: string): Readonly<Record<string, string>> | undefined;
}

/** @param template such as `/v1/{name=operations/**}:cancel` or `/v1/projects/{project_id}/builds`. */
export function compileTemplate(template: string): PathTemplate {
  const fields: string[] = [];
  const pattern = template
    .split(/(\{[^}]+\})/)
    .map((part) => {
      if (!part.startsWith('{')) return toPattern(part);
      const [field = '', glob = '*'] = part.slice(1, -1).split('=');
      fields.push(field);
      return `(${toPattern(glob)})`;
    })
    .join('');
  const expression = new RegExp(`^${pattern}$`);
  return {
    match: (path) => {
      const match = expression.exec(path);
      if (match === null) return undefined;
      const values = fields.map((field, i) => [field, decodePath(match[i + 1] ?? '')] as const);
      return values.some(([, value]) => value === undefined)
        ? undefined
        : Object.fromEntries(values.map(([field, value]) => [field, value ?? '']));
    },
  };
}

/** `*` is one segment, `**` any number of them. A colon starts the verb, so no last segment holds one. */
function toPattern(glob: string): string {
  return glob
    .split(/(\*\*|\*)/)
    .map((part) => {
      if (part === '**') return '[^?]+';
      if (part === '*') return '[^/?]+?';
      return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
}

/** One segment's escapes; `%2F` stays a slash within its segment. Undefined for broken escapes. */
function decodePath(text: string): string | undefined {
  try {
    return text
      .split('/')
      .map((segment) => decodeURIComponent(segment).replaceAll('/', '%2F'))
      .join('/');
  } catch {
    return undefined;
  }
}
