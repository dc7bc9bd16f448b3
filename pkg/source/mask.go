package source

import (
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// Masked stands wherever a secret would be printed. Its length says nothing about the secret.
const Masked = "********"

var (
	secretName = regex.Of(`(?i)(secret|token|passw|pass$|passphrase|pepper|api_?hash|api_?id|private|credential|pickle|signing_key$|server_key$|_key$|^key$|push_url|dsn|auth$|basicauth.*users$|authorization$)`)
	notSecret  = regex.Of(`(?i)(_path|_file|_endpoint|_method|_alg|_uri|_url|_ttl|_enabled|_allowed|_required|_lifetime|corscredentials|allow_?credentials)$`)
	// All below these is secret, whatever its key, but for what notSecret and plainKeyName let through.
	secretParent = regex.Of(`(?i)^(login_shared_secret_map|(.*_)?(secrets?|tokens?|password|credentials))$`)
	plainKeyName = regex.Of(`(?i)^(enabled|file|kid|name|external|environment|source|target|command|uid|gid|mode)$`)

	// Names that announce a secret within a longer text, such as a command line.
	secretWord  = regex.Of(`(?i)(secret|token|passw|pass$|passphrase|pepper|credential|(api|private|auth)[_-]?(hash|key))`)
	envPair     = regex.Of(`^([A-Za-z_][A-Za-z0-9_.-]*)=(?s:(.*))$`)
	imageDigest = regex.Of(`@sha256:[0-9a-f]{64}\b`)
)

// longWords are those of Kubernetes and the ESS chart that are as long as a token.
var longWords = []string{
	"allowPrivilegeEscalation", "automountServiceAccountToken", "publishNotReadyAddresses", "topologySpreadConstraints", "terminationGracePeriodSeconds",
	"requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution", "matrixAuthenticationService", "registrationSharedSecret",
}

// pattern is an expression that needs one of some characters, or a word, to match: looking for those first
// spares nearly all values the expression.
type pattern struct {
	any, word string
	form      func() *regexp.Regexp
}

func (p pattern) in(value string) bool {
	return (p.any == "" || strings.ContainsAny(value, p.any)) && strings.Contains(value, p.word)
}

var (
	secretShape = []pattern{
		{word: "PRIVATE KEY", form: regex.Of(`PRIVATE KEY`)},
		{word: "/api/push/", form: regex.Of(`/api/push/`)},
		{word: "as_token:", form: regex.Of(`as_token:`)},
		{word: "://", form: regex.Of(`://[^\s/@:]*:[^\s@]+@`)}, // userinfo of a URL; net/url refuses some that clients take
		{word: " ", form: regex.Of(`(?i)\b(?:bearer|basic) +[A-Za-z0-9+/=._~-]{6,}`)},
		{word: "-u", form: regex.Of(`(?:^|\s)(?:-u|--user)[ =]\S+:\S`)},
		{word: "$", form: regex.Of(`\$\$?(?:apr1|2[abxy]|argon2[a-z]*|pbkdf2[a-z0-9-]*|scrypt|[156y])\$|SCRAM-SHA-(?:1|256)\$`)},
	}
	// A name and its value within a longer text.
	namedValue = []pattern{
		{any: "=:", form: regex.Of(`([A-Za-z_][A-Za-z0-9_.-]*)(?:=["']?|["']?:\s+["']?|["']:["']?)([^\s"',;&]+)`)},
		{word: "-", form: regex.Of(`(?:^|\s)--?([A-Za-z0-9_.-]+)\s+["']?([^\s-]\S*)`)},
	}
)

func plainName(key string) bool {
	return notSecret().MatchString(key) || plainKeyName().MatchString(key)
}

// NamesSecret reports whether the key of the value, or one above it, announces a secret.
func (v Value) NamesSecret() bool {
	p := place{}
	for _, key := range v.path {
		p = p.down(key)
	}
	return !plainName(p.name) && (p.secret || secretName().MatchString(p.name))
}

func harmless(value string) bool {
	return slices.Contains([]string{"", "~", "true", "false", "null"}, strings.ToLower(value)) || strings.HasPrefix(value, "/run/secrets/")
}

// ownName is the last part of a Traefik label: the parts before it hold names that people choose.
func ownName(name string) string {
	if strings.HasPrefix(name, "traefik.") && !strings.HasSuffix(name, ".users") {
		return name[strings.LastIndexByte(name, '.')+1:]
	}
	return name
}

// looksSecret errs on the side of hiding: a value is shown only when neither its key nor its shape
// suggests a secret.
func looksSecret(name, value string) bool {
	if m := envPair().FindStringSubmatch(value); m != nil {
		// A random token that ends in = has this form too.
		return looksRandom(m[1]) || looksSecret(m[1], m[2]) || secretName().MatchString(name) && looksSecret(name, m[2])
	}
	name = ownName(name)
	switch {
	case slices.Contains(longWords, value):
		return false
	case strings.Contains(value, "\n"):
		return true
	case secretName().MatchString(name) && (!notSecret().MatchString(name) || name == "push_url"):
		return !harmless(value) || looksRandom(value)
	}
	for _, shape := range secretShape {
		if shape.in(value) && shape.form().MatchString(value) {
			return true
		}
	}
	for _, pair := range namedValue {
		if !pair.in(value) {
			continue
		}
		for _, m := range pair.form().FindAllStringSubmatch(value, -1) {
			if n := ownName(m[1]); secretWord().MatchString(n) && !notSecret().MatchString(n) && !harmless(m[2]) {
				return true
			}
		}
	}
	if strings.Contains(value, "@sha256:") {
		value = imageDigest().ReplaceAllString(value, "")
	}
	return looksRandom(value)
}

// MaskLine gives a line of a text that is not YAML for a person to read: Masked when a word of it announces
// a secret, or when it could be one.
func MaskLine(line string) string {
	if secretWord().MatchString(line) || looksSecret("", line) {
		return Masked
	}
	return line
}

// LooksRandom reports whether a word could be a generated token rather than a path, a name or a sentence.
func LooksRandom(word string) bool { return looksRandom(word) }

// looksRandom tells a generated token from a path, a name or a sentence: by the length of its runs of
// letters and digits, and by how often upper case, lower case and digits take turns within them.
func looksRandom(value string) bool {
	if len(value) < 16 {
		return false
	}
	for field := range strings.FieldsSeq(value) {
		var count [digits + 1]int
		var run, turns, humps int
		last, digit := other, false
		for _, r := range field {
			k := kindOf(r)
			if k == other {
				run, last, digit = 0, other, false
				continue
			}
			count[k]++
			run++
			digit = digit || k == digits
			if run >= 24 || run >= 16 && digit {
				return true
			}
			switch {
			case last == other || last == k:
			case last == upper && k == lower: // every CamelCase word has one of these
				humps++
			default:
				turns++
			}
			last = k
		}
		total := count[lower] + count[upper] + count[digits]
		mixed := 5*min(count[lower], count[upper]) >= total && 4*(turns+humps) >= total
		if total >= 16 && (mixed || turns >= 4 && 5*turns >= total) {
			return true
		}
	}
	return false
}

type kind int

const (
	other kind = iota
	lower
	upper
	digits
)

func kindOf(r rune) kind {
	switch {
	case r >= 'a' && r <= 'z':
		return lower
	case r >= 'A' && r <= 'Z':
		return upper
	case r >= '0' && r <= '9':
		return digits
	}
	return other
}
