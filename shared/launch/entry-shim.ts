/**
 * The program that stands before a training program and brings it its secrets: names in a variable of the job in,
 * the training program with the values in its environment out. It is given to the image as a command, so that the
 * image stays what its Dockerfile says, and needs nothing in it but a shell and Python 3.
 */

/** Holds `{"NAME": "projects/P/secrets/S/versions/V"}`; the training program does not see it. */
export const secretsVariable = 'TRAINYARD_SECRETS';

/** $0 is the Python program, the rest the training program. */
const findPython = `for p in python3 python; do command -v "$p" >/dev/null 2>&1 && exec "$p" -I -c "$0" "$@"; done
echo "trainyard: secrets_env needs Python 3 in the image, and there is no python3 or python on its PATH" >&2
exit 127`;

/**
 * As the job's account: its token from the metadata server, each value from Secret Manager, whose checksum is
 * verified. Redirects are not followed, since they would carry the token; a proxy is not asked for metadata.
 * Python ignores SIGPIPE and SIGXFSZ, which a program that it becomes would inherit.
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads#curl
 * @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
 * @see https://cloud.google.com/secret-manager/docs/data-integrity
 */
const readSecrets = `import base64, json, os, re, signal, sys, time
from urllib import error, request

def stop(text, code=1):
    sys.stderr.write("trainyard: " + text + "\\n")
    sys.exit(code)

class NoRedirect(request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None

def get(url, headers, what, *handlers):
    opener = request.build_opener(NoRedirect, *handlers)
    for wait in (1, 2, 4, 8, 15, 0):
        try:
            with opener.open(request.Request(url, headers=headers), timeout=30) as answer:
                return json.loads(answer.read().decode())
        except error.HTTPError as e:
            why = "HTTP %d" % e.code
            try:
                why += ": " + json.loads(e.read().decode())["error"]["message"]
            except Exception:
                pass
            if e.code not in (408, 429, 500, 502, 503, 504):
                break
        except Exception as e:
            why = str(e)
        time.sleep(wait)
    stop("could not get %s: %s" % (what, why))

def checksum(data):
    c = 0xFFFFFFFF
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
    return c ^ 0xFFFFFFFF

api = os.environ.get("TRAINYARD_GOOGLE_ENDPOINT", "")
if not re.match(r"http://127\\.0\\.0\\.1:\\d+\\Z", api):
    api = "https://secretmanager.googleapis.com"
host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
token = get("http://%s/computeMetadata/v1/instance/service-accounts/default/token" % host,
            {"Metadata-Flavor": "Google"}, "a token of the job's account", request.ProxyHandler({}))
for name, version in json.loads(os.environ.pop("${secretsVariable}")).items():
    what = "the secret %s (%s) as the job's account, which needs roles/secretmanager.secretAccessor on it" % (name, version)
    payload = get("%s/v1/%s:access" % (api, version), {"Authorization": "Bearer " + token["access_token"]}, what)["payload"]
    value = base64.b64decode(payload.get("data", ""))
    if "dataCrc32c" in payload and int(payload["dataCrc32c"]) != checksum(value):
        stop("%s arrived damaged" % what)
    if b"\\0" in value:
        stop("%s holds a zero byte, which no variable can" % what)
    os.environb[name.encode()] = value
for name in ("SIGPIPE", "SIGXFSZ"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)
try:
    os.execvp(sys.argv[1], sys.argv[1:])
except OSError as e:
    stop("cannot start %s: %s" % (sys.argv[1], e.strerror), 127)
`;

/** A job's command without the shim, for people; any other command as it is. */
export function withoutEntryShim(command: readonly string[]): readonly string[] {
  const shim = withEntryShim([]);
  // What the service shows is as it was sent, with every `$(` doubled.
  const has = shim.every((word, at) => command[at]?.replaceAll('$$(', '$(') === word);
  return has ? command.slice(shim.length) : command;
}

/** The command that runs `program` with its secrets; arguments may follow it. */
export function withEntryShim(program: readonly string[]): readonly string[] {
  return ['/bin/sh', '-c', findPython, readSecrets, ...program];
}
