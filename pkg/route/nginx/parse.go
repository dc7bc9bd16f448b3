package nginx

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// directive is one entry of the configuration with its block. The arguments of if stand without their brackets.
type directive struct {
	name  string
	args  []string
	block []*directive
	open  bool
	site  source.Site
}

func (d *directive) arg(i int) string {
	if i < len(d.args) {
		return d.args[i]
	}
	return ""
}

// fault is what keeps a file from being read, with its place.
type fault struct {
	site source.Site
	text string
}

func (f *fault) Error() string { return f.text }

// parser reads files, each of which may include others.
type parser struct {
	glob  func(pattern, from string) (files []*source.File, hidden string)
	notes []note
	files int
}

// note says why there may be more than what is read.
type note struct {
	site source.Site
	text string
}

const (
	maxFiles = 500
	maxDepth = 40
)

// token is a word, or one of { } ;
type token struct {
	text   string
	quoted bool
	line   int
}

func (t token) is(mark string) bool { return t.text == mark && !t.quoted }

func tokens(text string) (list []token) {
	line := 1
	for i := 0; i < len(text); {
		c := text[i]
		switch c {
		case '\n':
			line++
			i++
		case ' ', '\t', '\r':
			i++
		case '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case '{', '}', ';':
			list = append(list, token{string(c), false, line})
			i++
		default:
			var b strings.Builder
			began := line
			quote := byte(0)
			if c == '"' || c == '\'' {
				quote = c
				i++
			}
			for i < len(text) {
				c := text[i]
				if quote != 0 && c == quote || quote == 0 && (strings.IndexByte(" \t\r\n;", c) >= 0 || c == '{' && !strings.HasSuffix(b.String(), "$")) {
					break
				}
				if c == '\\' && i+1 < len(text) {
					next := text[i+1]
					switch next {
					case '"', '\'', '\\':
						i++
						c = next
					case 't':
						i++
						c = '\t'
					case 'r':
						i++
						c = '\r'
					case 'n':
						i++
						c = '\n'
					default:
						b.WriteByte(c)
						i++
						c = next
					}
				}
				if c == '\n' {
					line++
				}
				b.WriteByte(c)
				i++
			}
			if quote != 0 {
				i++
			}
			list = append(list, token{b.String(), quote != 0, began})
		}
	}
	return list
}

// file reads the directives of a file, with what it includes in the place of each include.
func (p *parser) file(f *source.File, depth int) ([]*directive, error) {
	if p.files++; p.files > maxFiles || depth > maxDepth {
		return nil, &fault{f.SiteAt(1), "more files are included than are read"}
	}
	list, rest, err := p.block(f, tokens(string(f.Src)), depth)
	if err == nil && len(rest) > 0 {
		err = &fault{f.SiteAt(rest[0].line), "this brace closes nothing"}
	}
	return list, err
}

// block reads directives up to a closing brace, which it leaves in the rest.
func (p *parser) block(f *source.File, ts []token, depth int) (list []*directive, rest []token, err error) {
	if depth > maxDepth {
		return nil, nil, &fault{f.SiteAt(1), "blocks are nested too deeply"}
	}
	for len(ts) > 0 && !ts[0].is("}") {
		d := &directive{name: ts[0].text, site: f.SiteAt(ts[0].line)}
		at := ts[0].line
		i := 1
		for i < len(ts) && !ts[i].is(";") && !ts[i].is("{") && !ts[i].is("}") {
			d.args = append(d.args, ts[i].text)
			i++
		}
		if i == len(ts) || ts[i].is("}") {
			return nil, nil, &fault{f.SiteAt(at), fmt.Sprintf("the directive %s does not end in a semicolon", d.name)}
		}
		braces := ts[i].is("{")
		ts = ts[i+1:]
		if braces {
			d.open = true
			if strings.HasSuffix(d.name, "_by_lua_block") {
				ts = ts[skipped(ts):]
			} else if d.block, ts, err = p.block(f, ts, depth+1); err != nil {
				return nil, nil, err
			}
			if len(ts) == 0 {
				return nil, nil, &fault{f.SiteAt(at), "the block of " + d.name + " does not end"}
			}
			ts = ts[1:]
		}
		if d.name == "if" && len(d.args) > 0 {
			d.args[0] = strings.TrimPrefix(d.args[0], "(")
			last := len(d.args) - 1
			d.args[last] = strings.TrimSuffix(d.args[last], ")")
			var args []string
			for _, a := range d.args {
				if a != "" {
					args = append(args, a)
				}
			}
			d.args = args
		}
		if d.name != "include" {
			list = append(list, d)
			continue
		}
		more, err := p.include(d, f, depth)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, more...)
	}
	return list, ts, nil
}

// skipped is the place of the brace that ends a block which is no configuration.
func skipped(ts []token) int {
	open := 0
	for i, t := range ts {
		switch {
		case t.is("{"):
			open++
		case t.is("}") && open == 0:
			return i
		case t.is("}"):
			open--
		}
	}
	return len(ts)
}

// plain are files that only set headers and types; nobody mounts them.
var plain = []string{"mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "proxy_params", "ssl-ciphers.conf", "block-exploits.conf", "force-ssl.conf", "assets.conf", "options-ssl-nginx.conf", "letsencrypt-acme-challenge.conf"}

// npmProxy is what conf.d/include/proxy.conf of Nginx Proxy Manager, which is in its image, does with a request.
const npmProxy = "$forward_scheme://$server:$port$request_uri"

func (p *parser) include(d *directive, f *source.File, depth int) (list []*directive, err error) {
	pattern := d.arg(0)
	files, hidden := p.glob(pattern, f.Path)
	for _, file := range files {
		more, err := p.file(file, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	if hidden == "" {
		return list, nil
	}
	name := pattern[strings.LastIndexByte(pattern, '/')+1:]
	if slices.Contains(plain, name) {
		return list, nil
	}
	if strings.HasSuffix(pattern, "conf.d/include/proxy.conf") {
		return []*directive{{name: "proxy_pass", args: []string{npmProxy}, site: d.site}}, nil
	}
	p.notes = append(p.notes, note{d.site, fmt.Sprintf("%s:%d includes %s: %s", d.site.File, d.site.Line, pattern, hidden)})
	// What may stand there is told where the way of a request comes by.
	return append(list, &directive{name: "include", args: d.args, site: d.site}), nil
}
