/**
 * Functions that rules may call, with their overloads: CEL's own (cel-spec `langdef.md`), its strings, sets and optional
 * extensions, and Kubernetes' (`apiserver/pkg/cel/library`). A line is a name and its overloads; `a.(b)c` is a member.
 */
import { type CelType, parseType, splitTypes } from './types.ts';

export interface Overload {
  /** Undefined for a global function. */
  readonly target: CelType | undefined;
  readonly args: readonly CelType[];
  readonly result: CelType;
}

const NUMBERS = ['int', 'uint', 'double'];
const ORDERED = ['bool', 'string', 'bytes', 'timestamp', 'duration'];

const comparisons = [
  ...NUMBERS.flatMap((left) => NUMBERS.map((right) => `(${left},${right})bool`)),
  ...ORDERED.map((type) => `(${type},${type})bool`),
].join(' ');

const getters = 'timestamp.()int timestamp.(string)int';

const TABLE = `
_==_ (A,A)bool
_!=_ (A,A)bool
_<_ ${comparisons}
_<=_ ${comparisons}
_>_ ${comparisons}
_>=_ ${comparisons}
_&&_ (bool,bool)bool
_||_ (bool,bool)bool
!_ (bool)bool
-_ (int)int (double)double
_?_:_ (bool,A,A)A
_+_ (int,int)int (uint,uint)uint (double,double)double (string,string)string (bytes,bytes)bytes (list(A),list(A))list(A) (timestamp,duration)timestamp (duration,timestamp)timestamp (duration,duration)duration
_-_ (int,int)int (uint,uint)uint (double,double)double (timestamp,timestamp)duration (timestamp,duration)timestamp (duration,duration)duration
_*_ (int,int)int (uint,uint)uint (double,double)double
_/_ (int,int)int (uint,uint)uint (double,double)double
_%_ (int,int)int (uint,uint)uint
@in (A,list(A))bool (A,map(A,B))bool
_[_] (list(A),int)A (map(A,B),A)B (optional(list(A)),int)optional(A) (optional(map(A,B)),A)optional(B)
_[?_] (list(A),int)optional(A) (map(A,B),A)optional(B) (optional(list(A)),int)optional(A) (optional(map(A,B)),A)optional(B)
size (string)int (bytes)int (list(A))int (map(A,B))int string.()int bytes.()int list(A).()int map(A,B).()int
type (A)type
dyn (A)dyn
bool (bool)bool (string)bool
bytes (bytes)bytes (string)bytes
double (double)double (int)double (uint)double (string)double
int (int)int (uint)int (double)int (string)int (timestamp)int (duration)int
uint (uint)uint (int)uint (double)uint (string)uint
string (string)string (bool)string (int)string (uint)string (double)string (bytes)string (timestamp)string (duration)string (kubernetes.IP)string (kubernetes.CIDR)string
timestamp (timestamp)timestamp (string)timestamp (int)timestamp
duration (duration)duration (string)duration (int)duration
contains string.(string)bool
startsWith string.(string)bool
endsWith string.(string)bool
matches (string,string)bool string.(string)bool
getFullYear ${getters}
getMonth ${getters}
getDayOfYear ${getters}
getDayOfMonth ${getters}
getDate ${getters}
getDayOfWeek ${getters}
getHours ${getters} duration.()int
getMinutes ${getters} duration.()int
getSeconds ${getters} duration.()int
getMilliseconds ${getters} duration.()int
charAt string.(int)string
indexOf string.(string)int string.(string,int)int list(A).(A)int
lastIndexOf string.(string)int string.(string,int)int list(A).(A)int
lowerAscii string.()string
upperAscii string.()string
replace string.(string,string)string string.(string,string,int)string
split string.(string)list(string) string.(string,int)list(string)
substring string.(int)string string.(int,int)string
trim string.()string
join list(string).()string list(string).(string)string
reverse string.()string
format string.(list(dyn))string
strings.quote (string)string
sets.contains (list(A),list(A))bool
sets.equivalent (list(A),list(A))bool
sets.intersects (list(A),list(A))bool
optional.of (A)optional(A)
optional.none ()optional(A)
optional.ofNonZeroValue (A)optional(A)
hasValue optional(A).()bool
value optional(A).()A
or optional(A).(optional(A))optional(A)
orValue optional(A).(A)A
isSorted list(int).()bool list(uint).()bool list(double).()bool list(bool).()bool list(string).()bool list(bytes).()bool list(timestamp).()bool list(duration).()bool
sum list(int).()int list(uint).()uint list(double).()double list(duration).()duration
min list(int).()int list(uint).()uint list(double).()double list(bool).()bool list(string).()string list(bytes).()bytes list(timestamp).()timestamp list(duration).()duration
max list(int).()int list(uint).()uint list(double).()double list(bool).()bool list(string).()string list(bytes).()bytes list(timestamp).()timestamp list(duration).()duration
find string.(string)string
findAll string.(string)list(string) string.(string,int)list(string)
url (string)kubernetes.URL
isURL (string)bool
getScheme kubernetes.URL.()string
getHost kubernetes.URL.()string
getHostname kubernetes.URL.()string
getPort kubernetes.URL.()string
getEscapedPath kubernetes.URL.()string
getQuery kubernetes.URL.()map(string,list(string))
quantity (string)kubernetes.Quantity
isQuantity (string)bool
isInteger kubernetes.Quantity.()bool
asInteger kubernetes.Quantity.()int
asApproximateFloat kubernetes.Quantity.()double
sign kubernetes.Quantity.()int
add kubernetes.Quantity.(kubernetes.Quantity)kubernetes.Quantity kubernetes.Quantity.(int)kubernetes.Quantity
sub kubernetes.Quantity.(kubernetes.Quantity)kubernetes.Quantity kubernetes.Quantity.(int)kubernetes.Quantity
isGreaterThan kubernetes.Quantity.(kubernetes.Quantity)bool kubernetes.Semver.(kubernetes.Semver)bool
isLessThan kubernetes.Quantity.(kubernetes.Quantity)bool kubernetes.Semver.(kubernetes.Semver)bool
compareTo kubernetes.Quantity.(kubernetes.Quantity)int kubernetes.Semver.(kubernetes.Semver)int
ip (string)kubernetes.IP kubernetes.CIDR.()kubernetes.IP
isIP (string)bool
ip.isCanonical (string)bool
family kubernetes.IP.()int
isUnspecified kubernetes.IP.()bool
isLoopback kubernetes.IP.()bool
isLinkLocalMulticast kubernetes.IP.()bool
isLinkLocalUnicast kubernetes.IP.()bool
isGlobalUnicast kubernetes.IP.()bool
cidr (string)kubernetes.CIDR
isCIDR (string)bool
containsIP kubernetes.CIDR.(kubernetes.IP)bool kubernetes.CIDR.(string)bool
containsCIDR kubernetes.CIDR.(kubernetes.CIDR)bool kubernetes.CIDR.(string)bool
masked kubernetes.CIDR.()kubernetes.CIDR
prefixLength kubernetes.CIDR.()int
semver (string)kubernetes.Semver (string,bool)kubernetes.Semver
isSemver (string)bool (string,bool)bool
major kubernetes.Semver.()int
minor kubernetes.Semver.()int
patch kubernetes.Semver.()int
format.named (string)optional(kubernetes.NamedFormat)
format.dns1123Label ()kubernetes.NamedFormat
format.dns1123Subdomain ()kubernetes.NamedFormat
format.dns1035Label ()kubernetes.NamedFormat
format.qualifiedName ()kubernetes.NamedFormat
format.dns1123LabelPrefix ()kubernetes.NamedFormat
format.dns1123SubdomainPrefix ()kubernetes.NamedFormat
format.dns1035LabelPrefix ()kubernetes.NamedFormat
format.labelValue ()kubernetes.NamedFormat
format.uri ()kubernetes.NamedFormat
format.uuid ()kubernetes.NamedFormat
format.byte ()kubernetes.NamedFormat
format.date ()kubernetes.NamedFormat
format.datetime ()kubernetes.NamedFormat
validate kubernetes.NamedFormat.(string)optional(list(string))
path kubernetes.authorization.Authorizer.(string)kubernetes.authorization.PathCheck
group kubernetes.authorization.Authorizer.(string)kubernetes.authorization.GroupCheck
serviceAccount kubernetes.authorization.Authorizer.(string,string)kubernetes.authorization.Authorizer
resource kubernetes.authorization.GroupCheck.(string)kubernetes.authorization.ResourceCheck
subresource kubernetes.authorization.ResourceCheck.(string)kubernetes.authorization.ResourceCheck
namespace kubernetes.authorization.ResourceCheck.(string)kubernetes.authorization.ResourceCheck
name kubernetes.authorization.ResourceCheck.(string)kubernetes.authorization.ResourceCheck
fieldSelector kubernetes.authorization.ResourceCheck.(string)kubernetes.authorization.ResourceCheck
labelSelector kubernetes.authorization.ResourceCheck.(string)kubernetes.authorization.ResourceCheck
check kubernetes.authorization.PathCheck.(string)kubernetes.authorization.Decision kubernetes.authorization.ResourceCheck.(string)kubernetes.authorization.Decision
allowed kubernetes.authorization.Decision.()bool
reason kubernetes.authorization.Decision.()string
errored kubernetes.authorization.Decision.()bool
error kubernetes.authorization.Decision.()string
jsonpatch.escapeKey (string)string
`;

/** Names that qualify functions and are no variables. */
export const NAMESPACES: ReadonlySet<string> = new Set([
  'strings',
  'sets',
  'optional',
  'ip',
  'format',
  'cel',
  'jsonpatch',
]);

let table: ReadonlyMap<string, readonly Overload[]> | undefined;

export function overloadsOf(name: string): readonly Overload[] | undefined {
  table ??= new Map(
    TABLE.trim()
      .split('\n')
      .map((line) => {
        const space = line.indexOf(' ');
        return [line.slice(0, space), signatures(line.slice(space + 1)).map(parseOverload)] as const;
      }),
  );
  return table.get(name);
}

/** Splits at spaces; none are inside a signature. */
function signatures(text: string): string[] {
  return text.trim().split(/\s+/);
}

function parseOverload(text: string): Overload {
  const member = text.indexOf('.(');
  const open = text.startsWith('(') ? 0 : member + 1;
  let depth = 0;
  let close = open;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')' && --depth === 0) {
      close = at;
      break;
    }
  }
  return {
    target: open === 0 ? undefined : parseType(text.slice(0, member)),
    args: splitTypes(text.slice(open + 1, close)).map(parseType),
    result: parseType(text.slice(close + 1)),
  };
}
