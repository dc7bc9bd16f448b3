package nginx

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/route"
)

// passes is what a location hands on. Without a word nginx takes bodies of 1 MB (ngx_http_core_module.c, client_max_body_size).
func passes(settings []*directive, l *location) route.Passes {
	p := route.Passes{Body: 1 << 20, Default: true, BodyAt: l.site, Site: l.site}
	if l.content.at != nil {
		p.Site = l.content.at.site
	}
	for _, d := range settings {
		switch d.name {
		case "client_max_body_size":
			text := strings.ToLower(d.arg(0))
			unit := int64(1)
			for suffix, n := range map[string]int64{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30} {
				if number, ok := strings.CutSuffix(text, suffix); ok {
					text, unit = number, n
				}
			}
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				n = 0
			}
			p.Body, p.Default, p.BodyAt = n*unit, false, d.site
		case "resolver":
			p.Resolves = true
		case "proxy_read_timeout":
			p.Wait, p.WaitAt = seconds(d.arg(0)), d.site
		case "proxy_set_header":
			p.Forwards = p.Forwards || strings.EqualFold(d.arg(0), "x-forwarded-for") && d.arg(1) != ""
			p.Upgrades = p.Upgrades || strings.EqualFold(d.arg(0), "upgrade") && d.arg(1) != ""
		}
	}
	return p
}

// sends are the headers that a location adds; nil where a module that is not part of nginx may change them.
func sends(settings []*directive, l *location) *[]route.Header {
	added, hidden := []route.Header{}, make(map[string]bool)
	for _, d := range slices.Concat(settings, l.lines) {
		if strings.HasPrefix(d.name, "more_") || strings.HasPrefix(d.name, "header_filter_") {
			return nil
		}
	}
	for _, d := range settings {
		switch {
		case d.name == "proxy_hide_header":
			hidden[strings.ToLower(d.arg(0))] = true
		case d.name == "add_header" && d.arg(1) != "":
			h := route.Header{Name: d.arg(0), Value: d.arg(1), Site: d.site}
			if strings.Contains(h.Value, "$") {
				h.Value = ""
			}
			added = append(added, h)
		}
	}
	if l.content.at != nil { // who answers has the header no more
		added = slices.DeleteFunc(added, func(h route.Header) bool { return hidden[strings.ToLower(h.Name)] })
	}
	return &added
}

// seconds reads a time as nginx does; 0 where it is none.
func seconds(text string) time.Duration {
	var sum time.Duration
	for rest := strings.ReplaceAll(text, " ", ""); rest != ""; {
		n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		number, err := strconv.Atoi(rest[:n])
		if err != nil {
			return 0
		}
		word := rest[n:]
		if next := strings.IndexAny(word, "0123456789"); next >= 0 {
			word = word[:next]
		}
		unit, known := map[string]time.Duration{"": time.Second, "s": time.Second, "ms": time.Millisecond, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[word]
		if !known {
			return 0
		}
		sum, rest = sum+time.Duration(number)*unit, rest[n+len(word):]
	}
	return sum
}
