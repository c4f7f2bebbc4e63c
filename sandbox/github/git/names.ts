/**
 * Which strings may reach git as names. Everything that comes from a URL or a body passes here first:
 * nothing that git would read as an option, a range, a reflog entry or a path out of its directory.
 */

/** git's rules for reference names. @see https://git-scm.com/docs/git-check-ref-format */
export function isRefName(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= 255 &&
    !/[\p{Cc} ~^:?*[\\]/u.test(name) &&
    !name.includes('..') &&
    !name.includes('@{') &&
    name !== '@' &&
    !name.startsWith('-') &&
    name
      .split('/')
      .every(
        (part) =>
          part !== '' && !part.startsWith('.') && !part.endsWith('.') && !part.endsWith('.lock'),
      )
  );
}

export function isSha(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** A path inside a repository: relative, without empty, `.` or `..` parts. */
export function isTreePath(path: string): boolean {
  return (
    path.length <= 4_096 &&
    !path.includes('\0') &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** An account's or repository's name in a URL. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_.[\]-]{1,100}$/.test(name) && !/^\.+$/.test(name);
}
