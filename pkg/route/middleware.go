package route

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"strings"
)

// flow is a request on its way through the middlewares of a router.
type flow struct {
	host string
	url  *url.URL

	redirect, refused, unknown string
}

func (f *flow) done() bool { return f.redirect != "" || f.refused != "" }

// step is what a middleware does to a request; nil when it neither changes the path nor redirects.
type step func(*flow)

// middlewareType gives the lower-case name of the one type that is set.
func middlewareType(conf *middlewareLabels) (string, error) {
	v := reflect.ValueOf(conf).Elem()
	name := ""
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			continue
		}
		if name != "" {
			return "", errors.New("it has two types, Traefik takes one")
		}
		name = strings.ToLower(v.Type().Field(i).Name)
	}
	if name == "" {
		return "", errors.New("it has no type")
	}
	return name, nil
}

// newStep builds a middleware other than a chain, and fails where Traefik fails to.
func newStep(conf *middlewareLabels) (step, error) {
	switch {
	case conf.AddPrefix != nil:
		if conf.AddPrefix.Prefix == "" {
			return nil, errors.New("the prefix is empty")
		}
		return func(f *flow) { f.addPrefix(conf.AddPrefix.Prefix) }, nil
	case conf.StripPrefix != nil:
		return conf.StripPrefix.apply, nil
	case conf.StripPrefixRegex != nil:
		return stripPrefixRegex(conf.StripPrefixRegex.Regex)
	case conf.ReplacePath != nil:
		return func(f *flow) { f.setPath(conf.ReplacePath.Path) }, nil
	case conf.ReplacePathRegex != nil:
		re, err := regexp.Compile(strings.TrimSpace(conf.ReplacePathRegex.Regex))
		if err != nil {
			return nil, err
		}
		replacement := strings.TrimSpace(conf.ReplacePathRegex.Replacement)
		return func(f *flow) {
			if path := f.path(); re.MatchString(path) {
				f.setPath(re.ReplaceAllString(path, replacement))
				f.clean()
			}
		}, nil
	case conf.RedirectRegex != nil:
		re, err := regexp.Compile(conf.RedirectRegex.Regex)
		if err != nil {
			return nil, err
		}
		return func(f *flow) { f.redirectTo(re, "https://"+f.host+f.url.RequestURI(), conf.RedirectRegex.Replacement) }, nil
	case conf.RedirectScheme != nil:
		return conf.RedirectScheme.step()
	case conf.Plugin != nil:
		return func(f *flow) { f.unknown = "a plugin may do anything to the request" }, nil
	}
	return nil, nil
}

// path is the path as it stands in the request line.
func (f *flow) path() string {
	if f.url.RawPath != "" {
		return f.url.RawPath
	}
	return f.url.EscapedPath()
}

func (f *flow) setPath(raw string) {
	path, err := url.PathUnescape(raw)
	if err != nil {
		f.refused = fmt.Sprintf("500: the replaced path %q is not a valid path", raw)
		return
	}
	f.url.RawPath, f.url.Path = raw, path
}

func (f *flow) addPrefix(prefix string) {
	f.url.Path = leadingSlash(prefix + f.url.Path)
	if f.url.RawPath != "" {
		f.url.RawPath = leadingSlash(prefix + f.url.RawPath)
	}
}

// cut removes a decoded prefix of the path.
func (f *flow) cut(prefix string, slash bool) {
	rest := f.url.Path[len(prefix):]
	raw := f.url.RawPath
	for n := len(prefix); n > 0 && raw != ""; n-- {
		if raw[0] == '%' && len(raw) > 2 {
			raw = raw[3:]
		} else {
			raw = raw[1:]
		}
	}
	if slash {
		rest, raw = "/"+strings.TrimPrefix(rest, "/"), "/"+strings.TrimPrefix(raw, "/")
	}
	f.url.Path = leadingSlash(rest)
	if f.url.RawPath != "" {
		f.url.RawPath = leadingSlash(raw)
	}
	f.clean()
}

// clean refuses a path that is not in its shortest form, as Traefik does after a rewrite.
func (f *flow) clean() {
	if f.refused != "" || f.url.Path == "" {
		return
	}
	cleaned := f.url.JoinPath()
	if cleaned.Path != f.url.Path {
		f.refused = fmt.Sprintf("400: the rewritten path %q is not clean", f.url.Path)
		return
	}
	f.url = cleaned
}

func (s *stripPrefix) apply(f *flow) {
	for _, p := range s.Prefixes {
		if p = strings.TrimSpace(p); strings.HasPrefix(f.url.Path, p) {
			f.cut(p, s.ForceSlash != nil && *s.ForceSlash)
			return
		}
	}
}

func stripPrefixRegex(patterns []string) (step, error) {
	var res []*regexp.Regexp
	for _, p := range patterns {
		re, err := regexp.Compile(strings.TrimSpace(p))
		if err != nil {
			return nil, err
		}
		res = append(res, re)
	}
	return func(f *flow) {
		for _, re := range res {
			if found := re.FindString(f.url.Path); found != "" && strings.HasPrefix(f.url.Path, found) {
				f.cut(found, false)
				return
			}
		}
	}, nil
}

// redirectTo answers with the replaced URL, unless nothing changes by it.
func (f *flow) redirectTo(re *regexp.Regexp, from, replacement string) {
	if !re.MatchString(from) {
		return
	}
	to := re.ReplaceAllString(from, replacement)
	if to == from {
		return
	}
	u, err := url.Parse(to)
	if err != nil || to == "" {
		f.refused = fmt.Sprintf("500: cannot redirect to %q", to)
		return
	}
	f.redirect = u.String()
}

func (s *redirectScheme) step() (step, error) {
	if s.Scheme == "" {
		return nil, errors.New("the scheme is empty")
	}
	port := ""
	if s.Port != "" && (s.Scheme != "https" || s.Port != "443") && (s.Scheme != "http" || s.Port != "80") {
		port = ":" + s.Port
	}
	return func(f *flow) {
		host, from, err := net.SplitHostPort(f.host)
		if err != nil {
			host, from = f.host, ""
		} else if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if from != "" && from != "443" {
			from = ":" + from
		} else {
			from = ""
		}
		uri := f.url.RequestURI()
		if to := s.Scheme + "://" + host + port + uri; to != "https://"+host+from+uri {
			f.redirect = to
		}
	}, nil
}

func leadingSlash(s string) string {
	if s == "" || s[0] == '/' {
		return s
	}
	return "/" + s
}
