package check

import (
	"cmp"
	"regexp"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// locale is how a database or a cluster sorts and stores text. "" is what its template has.
type locale struct {
	encoding, collate, ctype string
	template0                bool
}

// localeOption is one of CREATE DATABASE, of createdb or of initdb.
func localeOption(long, short string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[\s"'])(?:(?i:` + long + `)(?:\s*=\s*|\s+)|` + short + `\s*)['"]*([A-Za-z0-9_.@-]+)`)
}

var (
	encodingOption = localeOption(`ENCODING|--encoding`, `-E`)
	localeBoth     = localeOption(`LOCALE|--locale`, `-l`)
	collateOption  = localeOption(`LC_COLLATE|--lc-collate`, `--lc-collate=`)
	ctypeOption    = localeOption(`LC_CTYPE|--lc-ctype`, `--lc-ctype=`)
	template0      = regexp.MustCompile(`(?i)(?:TEMPLATE\s*=?\s*|--template[= ]|-T\s*)['"]*template0\b`)
	noLocale       = regexp.MustCompile(`(?:^|\s)--no-locale\b`)
)

// localeOf reads the options of CREATE DATABASE, createdb or initdb.
func localeOf(text string) locale {
	option := func(re *regexp.Regexp) string {
		if g := re.FindStringSubmatch(text); g != nil {
			return g[1]
		}
		return ""
	}
	both := option(localeBoth)
	if noLocale.MatchString(text) {
		both = "C"
	}
	return locale{
		encoding:  encodingName(option(encodingOption)),
		collate:   localeName(cmp.Or(option(collateOption), both)),
		ctype:     localeName(cmp.Or(option(ctypeOption), both)),
		template0: template0.MatchString(text),
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

// clusterLocale is what initdb gives a new cluster, and where that stands: its own arguments count most, then
// the environment, which is en_US.utf8 in the image. The encoding follows the locale, and is SQL_ASCII for C.
func clusterLocale(server *Service) (locale, source.Value) {
	text, at := server.Env("POSTGRES_INITDB_ARGS")
	l := localeOf(text)
	env := func(name string) string {
		val, _ := server.Env(name)
		return localeName(val)
	}
	all, lang := env("LC_ALL"), cmp.Or(env("LANG"), "en_US.utf8")
	l.collate = cmp.Or(l.collate, all, env("LC_COLLATE"), lang)
	l.ctype = cmp.Or(l.ctype, all, env("LC_CTYPE"), lang)
	switch {
	case l.encoding != "":
	case l.ctype == "C":
		l.encoding = "SQL_ASCII"
	default:
		_, charset, _ := strings.Cut(l.ctype, ".")
		l.encoding = encodingName(cmp.Or(charset, "LATIN1"))
	}
	if !at.Exists() {
		at = server.Value.At("environment")
	}
	return l, at
}
