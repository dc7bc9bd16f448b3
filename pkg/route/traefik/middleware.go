package traefik

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

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
func newStep(conf *middlewareLabels) (route.Step, error) {
	switch {
	case conf.AddPrefix != nil:
		if conf.AddPrefix.Prefix == "" {
			return nil, errors.New("the prefix is empty")
		}
		return func(f *route.Flow) { addPrefix(f, conf.AddPrefix.Prefix) }, nil
	case conf.StripPrefix != nil:
		return conf.StripPrefix.apply, nil
	case conf.StripPrefixRegex != nil:
		return stripPrefixRegex(conf.StripPrefixRegex.Regex)
	case conf.ReplacePath != nil:
		return func(f *route.Flow) { setPath(f, conf.ReplacePath.Path) }, nil
	case conf.ReplacePathRegex != nil:
		re, err := regexp.Compile(strings.TrimSpace(conf.ReplacePathRegex.Regex))
		if err != nil {
			return nil, err
		}
		replacement := strings.TrimSpace(conf.ReplacePathRegex.Replacement)
		return func(f *route.Flow) {
			if path := pathOf(f); re.MatchString(path) {
				setPath(f, re.ReplaceAllString(path, replacement))
				clean(f)
			}
		}, nil
	case conf.RedirectRegex != nil:
		re, err := regexp.Compile(conf.RedirectRegex.Regex)
		if err != nil {
			return nil, err
		}
		return func(f *route.Flow) {
			redirectTo(f, re, "https://"+f.Host+f.URL.RequestURI(), conf.RedirectRegex.Replacement)
		}, nil
	case conf.RedirectScheme != nil:
		return conf.RedirectScheme.step()
	case conf.Plugin != nil:
		return func(f *route.Flow) { f.Unknown = "a plugin may do anything to the request" }, nil
	}
	return nil, nil
}

// path is the path as it stands in the request line.
func pathOf(f *route.Flow) string {
	if f.URL.RawPath != "" {
		return f.URL.RawPath
	}
	return f.URL.EscapedPath()
}

func setPath(f *route.Flow, raw string) {
	path, err := url.PathUnescape(raw)
	if err != nil {
		f.Refused = fmt.Sprintf("500: the replaced path %q is not a valid path", raw)
		return
	}
	f.URL.RawPath, f.URL.Path = raw, path
}

func addPrefix(f *route.Flow, prefix string) {
	f.URL.Path = leadingSlash(prefix + f.URL.Path)
	if f.URL.RawPath != "" {
		f.URL.RawPath = leadingSlash(prefix + f.URL.RawPath)
	}
}

// cut removes a decoded prefix of the path.
func cut(f *route.Flow, prefix string, slash bool) {
	rest := f.URL.Path[len(prefix):]
	raw := f.URL.RawPath
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
	f.URL.Path = leadingSlash(rest)
	if f.URL.RawPath != "" {
		f.URL.RawPath = leadingSlash(raw)
	}
	clean(f)
}

// clean refuses a path that is not in its shortest form, as Traefik does after a rewrite.
func clean(f *route.Flow) {
	if f.Refused != "" || f.URL.Path == "" {
		return
	}
	cleaned := f.URL.JoinPath()
	if cleaned.Path != f.URL.Path {
		f.Refused = fmt.Sprintf("400: the rewritten path %q is not clean", f.URL.Path)
		return
	}
	f.URL = cleaned
}

func (s *stripPrefix) apply(f *route.Flow) {
	for _, p := range s.Prefixes {
		if p = strings.TrimSpace(p); strings.HasPrefix(f.URL.Path, p) {
			cut(f, p, s.ForceSlash != nil && *s.ForceSlash)
			return
		}
	}
}

func stripPrefixRegex(patterns []string) (route.Step, error) {
	var res []*regexp.Regexp
	for _, p := range patterns {
		re, err := regexp.Compile(strings.TrimSpace(p))
		if err != nil {
			return nil, err
		}
		res = append(res, re)
	}
	return func(f *route.Flow) {
		for _, re := range res {
			if found := re.FindString(f.URL.Path); found != "" && strings.HasPrefix(f.URL.Path, found) {
				cut(f, found, false)
				return
			}
		}
	}, nil
}

// redirectTo answers with the replaced URL, unless nothing changes by it.
func redirectTo(f *route.Flow, re *regexp.Regexp, from, replacement string) {
	if !re.MatchString(from) {
		return
	}
	to := re.ReplaceAllString(from, replacement)
	if to == from {
		return
	}
	u, err := url.Parse(to)
	if err != nil || to == "" {
		f.Refused = fmt.Sprintf("500: cannot redirect to %q", to)
		return
	}
	f.Redirect = u.String()
}

func (s *redirectScheme) step() (route.Step, error) {
	if s.Scheme == "" {
		return nil, errors.New("the scheme is empty")
	}
	port := ""
	if s.Port != "" && (s.Scheme != "https" || s.Port != "443") && (s.Scheme != "http" || s.Port != "80") {
		port = ":" + s.Port
	}
	return func(f *route.Flow) {
		host, from, err := net.SplitHostPort(f.Host)
		if err != nil {
			host, from = f.Host, ""
		} else if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if from != "" && from != "443" {
			from = ":" + from
		} else {
			from = ""
		}
		uri := f.URL.RequestURI()
		if to := s.Scheme + "://" + host + port + uri; to != "https://"+host+from+uri {
			f.Redirect = to
		}
	}, nil
}

func leadingSlash(s string) string {
	if s == "" || s[0] == '/' {
		return s
	}
	return "/" + s
}
