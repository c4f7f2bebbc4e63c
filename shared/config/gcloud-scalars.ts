/**
 * How gcloud reads plain words in a job config: YAML 1.1, in which `yes` is true, `010` is eight and `1:30`
 * is ninety. A word that another reader takes for text (`y`, `1e-4`) is none there, and the other way round
 * (`.`, `08`), so the rules are gcloud's own and not those of a YAML library.
 * @see https://yaml.org/type/ (the types of YAML 1.1)
 */
import type { ScalarTag, Tags } from 'yaml';

const prefix = 'tag:yaml.org,2002:';

/** Whole numbers become bigint and all others number, so that `1` and `1.0` stay apart. */
function scalar(type: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag {
  return { tag: `${prefix}${type}`, default: true, test, resolve };
}

const scalars: readonly ScalarTag[] = [
  scalar('null', /^(?:~|null|Null|NULL|)$/, () => null),
  scalar('bool', /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/, () => true),
  scalar('bool', /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/, () => false),
  scalar('int', /^[-+]?0b[01_]+$/, (text) => fromDigits(text, 2n)),
  scalar('int', /^[-+]?0x[\da-fA-F_]+$/, (text) => fromDigits(text, 16n)),
  scalar('int', /^[-+]?0[0-7_]*$/, (text) => fromDigits(text, 8n)),
  scalar('int', /^[-+]?[1-9][\d_]*$/, (text) => fromDigits(text, 10n)),
  scalar('int', /^[-+]?[1-9][\d_]*(?::[0-5]?\d)+$/, fromSexagesimal),
  scalar('float', /^[-+]?\d[\d_]*(?:\.[\d_]*(?:[eE][-+]?\d+)?|[eE][-+]?\d+)$/, toNumber),
  scalar('float', /^\.[\d_]+(?:[eE][-+]\d+)?$/, toNumber),
  scalar('float', /^[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*$/, () => NaN),
  scalar('float', /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/, () => NaN),
  scalar('timestamp', /^\d{4}-\d\d-\d\d$/, (text) => new Date(text)),
  scalar(
    'timestamp',
    /^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/,
    (text) => new Date(text),
  ),
];

const kept = new Set(['map', 'seq', 'str', 'merge'].map((type) => `${prefix}${type}`));

/** The library's collections and texts, with gcloud's scalars in place of its own. */
export function gcloudTags(tags: Tags): Tags {
  const collections = tags.filter((tag) => typeof tag === 'object' && kept.has(tag.tag));
  return [...collections, ...scalars];
}

/** No field holds as many, and long numbers are slow to read. */
const maxDigits = 200;

/** `-0x1_f` and the like; the base's prefix (`0x`, `0b`, `0`) is in the text. */
function fromDigits(text: string, base: bigint): bigint | number {
  if (text.length > maxDigits) return NaN;
  const digits = text.replaceAll('_', '').replace(/^[-+]?(?:0[bx])?/, '');
  let value = 0n;
  for (const digit of digits) value = value * base + BigInt(Number.parseInt(digit, 16));
  return text.startsWith('-') ? -value : value;
}

function fromSexagesimal(text: string): bigint | number {
  if (text.length > maxDigits) return NaN;
  const value = text
    .replaceAll(/[-+_]/g, '')
    .split(':')
    .reduce((sum, part) => sum * 60n + BigInt(part), 0n);
  return text.startsWith('-') ? -value : value;
}

function toNumber(text: string): number {
  return Number(text.replaceAll('_', ''));
}
