/** Names and labels (apimachinery `util/validation`, `api/validation`): each function gives the messages, none if good. */

function regexMessage(message: string, regex: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${regex}')`;
  const list = examples.map((example, index) => `${index > 0 ? ' or ' : ''}'${example}', `).join('');
  return `${message} (e.g. ${list}regex used for validation is '${regex}')`;
}

function maxLength(length: number): string {
  return `must be no more than ${length} characters`;
}

const encoder = new TextEncoder();

/** Go's `len`: bytes of UTF-8. */
export function byteLength(text: string): number {
  for (let index = 0; index < text.length; index++)
    if (text.charCodeAt(index) > 127) return encoder.encode(text).length;
  return text.length;
}

const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`;
const UNDERSCORED_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const UNDERSCORED_SUBDOMAIN = `${UNDERSCORED_LABEL}(\\.${UNDERSCORED_LABEL})*`;
const DNS1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const WILDCARD_DNS1123 = `\\*\\.${DNS1123_SUBDOMAIN}`;
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';
const RELAXED_ENV_NAME = /^[ -<>-~]+$/;
const HTTP_HEADER = '[-A-Za-z0-9]+';

const compiled = new Map<string, RegExp>();
function full(source: string): RegExp {
  let regex = compiled.get(source);
  if (regex === undefined) {
    regex = new RegExp(`^(?:${source})$`);
    compiled.set(source, regex);
  }
  return regex;
}

const LABEL_MESSAGE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

const UNDERSCORED_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";

export function isDns1123Label(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 63) out.push(maxLength(63));
  if (!full(DNS1123_LABEL).test(value)) {
    if (full(DNS1123_SUBDOMAIN).test(value)) out.push('must not contain dots');
    else out.push(regexMessage(LABEL_MESSAGE, DNS1123_LABEL, 'my-name', '123-abc'));
  }
  return out;
}

export function isDns1123Subdomain(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 253) out.push(maxLength(253));
  if (!full(DNS1123_SUBDOMAIN).test(value)) out.push(regexMessage(SUBDOMAIN_MESSAGE, DNS1123_SUBDOMAIN, 'example.com'));
  return out;
}

/** As a subdomain, but underscores are good too: search paths of resolvers have them. */
export function isDns1123SubdomainWithUnderscore(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 253) out.push(maxLength(253));
  if (!full(UNDERSCORED_SUBDOMAIN).test(value))
    out.push(regexMessage(UNDERSCORED_MESSAGE, UNDERSCORED_SUBDOMAIN, 'example.com'));
  return out;
}

export function isDns1035Label(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 63) out.push(maxLength(63));
  if (!full(DNS1035_LABEL).test(value))
    out.push(
      regexMessage(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        DNS1035_LABEL,
        'my-name',
        'abc-123',
      ),
    );
  return out;
}

export function isWildcardDns1123Subdomain(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 253) out.push(maxLength(253));
  if (!full(WILDCARD_DNS1123).test(value))
    out.push(
      regexMessage(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        WILDCARD_DNS1123,
        '*.example.com',
      ),
    );
  return out;
}

/** Keys of labels and annotations: an optional DNS prefix and a name. */
export function isQualifiedName(value: string): string[] {
  const out: string[] = [];
  const parts = value.split('/');
  let name: string;
  const nameMessage =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  if (parts.length === 1) name = parts[0] ?? '';
  else if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    name = parts[1] ?? '';
    if (prefix === '') out.push('prefix part must be non-empty');
    else for (const problem of isDns1123Subdomain(prefix)) out.push(`prefix part ${problem}`);
  } else
    return [
      `a qualified name ${regexMessage(nameMessage, QUALIFIED_NAME, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  if (name === '') out.push('name part must be non-empty');
  else if (byteLength(name) > 63) out.push(`name part ${maxLength(63)}`);
  if (!full(QUALIFIED_NAME).test(name))
    out.push(`name part ${regexMessage(nameMessage, QUALIFIED_NAME, 'MyName', 'my.name', '123-abc')}`);
  return out;
}

export function isLabelValue(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 63) out.push(maxLength(63));
  if (!full(LABEL_VALUE).test(value))
    out.push(
      regexMessage(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  return out;
}

export function isConfigMapKey(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 253) out.push(maxLength(253));
  if (!full(CONFIG_KEY).test(value))
    out.push(
      regexMessage(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_KEY,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  out.push(...hasChDirPrefix(value));
  return out;
}

function hasChDirPrefix(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  if (value.startsWith('..')) return ["must not start with '..'"];
  return [];
}

export function isCIdentifier(value: string): string[] {
  return full(C_IDENTIFIER).test(value)
    ? []
    : [
        regexMessage(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          C_IDENTIFIER,
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];
}

/** Any printable ASCII but `=`, the rule since RelaxedEnvironmentVariableValidation (1.32). */
export function isRelaxedEnvVarName(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  if (RELAXED_ENV_NAME.test(value)) return [];
  return [
    regexMessage(
      "a valid environment variable name must consist only of printable ASCII characters other than '='",
      '^[ -<>-~]+$',
    ),
  ];
}

export function isHttpHeaderName(value: string): string[] {
  return full(HTTP_HEADER).test(value)
    ? []
    : [
        regexMessage(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          HTTP_HEADER,
          'X-Header-Name',
        ),
      ];
}

/** IANA service names: what names of ports must be. */
export function isValidPortName(value: string): string[] {
  const out: string[] = [];
  if (byteLength(value) > 15) out.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(value)) out.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) out.push('must contain at least one letter (a-z)');
  if (value.includes('--')) out.push('must not contain consecutive hyphens');
  if (value.length > 0 && (value.startsWith('-') || value.endsWith('-')))
    out.push('must not begin or end with a hyphen');
  return out;
}

export function isValidPortNum(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}

/** A generated name must leave room for a suffix: only its prefix is checked (`NameIsDNSSubdomain` with `prefix`). */
export function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
