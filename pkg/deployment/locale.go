package deployment

import (
	"cmp"
	"regexp"
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// Locale is how a database or a cluster sorts and stores text. "" is what its template has.
type Locale struct {
	Encoding, Collate, Ctype string
	Template0                bool
}

// localeOption is one of CREATE DATABASE, of createdb or of initdb.
func localeOption(long, short string) func() *regexp.Regexp {
	return regex.Of(`(?:^|[\s"'])(?:(?i:` + long + `)(?:\s*=\s*|\s+)|` + short + `\s*)['"]*([A-Za-z0-9_.@-]+)`)
}

var (
	encodingOption = localeOption(`ENCODING|--encoding`, `-E`)
	localeBoth     = localeOption(`LOCALE|--locale`, `-l`)
	collateOption  = localeOption(`LC_COLLATE|--lc-collate`, `--lc-collate=`)
	ctypeOption    = localeOption(`LC_CTYPE|--lc-ctype`, `--lc-ctype=`)
	template0      = regex.Of(`(?i)(?:TEMPLATE\s*=?\s*|--template[= ]|-T\s*)['"]*template0\b`)
	noLocale       = regex.Of(`(?:^|\s)--no-locale\b`)
)

// LocaleOf reads the options of CREATE DATABASE, createdb or initdb.
func LocaleOf(text string) Locale {
	option := func(re func() *regexp.Regexp) string {
		if g := re().FindStringSubmatch(text); g != nil {
			return g[1]
		}
		return ""
	}
	both := option(localeBoth)
	if noLocale().MatchString(text) {
		both = "C"
	}
	return Locale{
		Encoding:  encodingName(option(encodingOption)),
		Collate:   localeName(cmp.Or(option(collateOption), both)),
		Ctype:     localeName(cmp.Or(option(ctypeOption), both)),
		Template0: template0().MatchString(text),
	}
}

func encodingName(s string) string {
	switch strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(s)) {
	case "UTF8", "UNICODE":
		return "UTF8"
	}
	return s
}

// POSIX is another name of C.
func localeName(s string) string {
	if s == "POSIX" {
		return "C"
	}
	return s
}

// ClusterLocale is what initdb gives a new cluster, and where that stands: its own arguments count most, then
// the environment, which is en_US.utf8 in the image. The encoding follows the locale, and is SQL_ASCII for C.
func ClusterLocale(server *Service) (Locale, Leaf) {
	text, at := server.Env("POSTGRES_INITDB_ARGS")
	l := LocaleOf(text)
	env := func(name string) string {
		val, _ := server.Env(name)
		return localeName(val)
	}
	all, lang := env("LC_ALL"), cmp.Or(env("LANG"), "en_US.utf8")
	l.Collate = cmp.Or(l.Collate, all, env("LC_COLLATE"), lang)
	l.Ctype = cmp.Or(l.Ctype, all, env("LC_CTYPE"), lang)
	switch {
	case l.Encoding != "":
	case l.Ctype == "C":
		l.Encoding = "SQL_ASCII"
	default:
		_, charset, _ := strings.Cut(l.Ctype, ".")
		l.Encoding = encodingName(cmp.Or(charset, "LATIN1"))
	}
	if !at.Exists() {
		at = server.EnvAt
	}
	return l, at
}
