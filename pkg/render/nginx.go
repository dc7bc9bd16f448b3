package render

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// smallestBody is what Synapse takes of another server at least, whatever may be uploaded: 200 events of 64 KiB
// (synapse/app/_base.py, max_request_body_size).
const smallestBody = 200 * 65536

// Locations is what of a site is the stack's, for the server block of that host, or for the field Advanced of Nginx Proxy
// Manager. No proxy_pass has a path, with which nginx would hand Synapse a path of its own making; and what is Synapse's
// beats every expression that the server has besides, so that a rule for *.png takes no media.
func (st *Stack) Locations(s Site) string {
	var b strings.Builder
	whole := false
	for _, r := range s.Routes {
		switch {
		case r.Whole():
			whole = true
			fmt.Fprintf(&b, "location / {\n%s}\n", st.proxied(r, "\t"))
		case r.Regexp != "":
			if !nested(s, r) {
				fmt.Fprintf(&b, "location ~ %s {\n%s}\n", r.Regexp, st.proxied(r, "\t"))
			}
		case r.To != "":
			fmt.Fprintf(&b, "location = %s {\n\treturn 302 %s;\n}\n", r.Strip, r.To)
		}
		if r.Strip == "" {
			for _, p := range r.Paths {
				fmt.Fprintf(&b, "location = %s {\n%s}\n", p, st.proxied(r, "\t"))
			}
		}
		for _, p := range r.Prefixes {
			if bare := strings.TrimSuffix(p, "/"); r.To == "" && !slices.Contains(r.Paths, bare) { // which nginx would redirect to the same with a slash
				fmt.Fprintf(&b, "location = %s {\n\treturn 404;\n}\n", bare)
			}
			fmt.Fprintf(&b, "location ^~ %s {\n", p)
			b.WriteString(st.proxied(r, "\t"))
			for _, inner := range s.Routes {
				if strings.HasPrefix(inner.Regexp, "^"+p) {
					fmt.Fprintf(&b, "\tlocation ~ %s {\n%s\t}\n", inner.Regexp, st.proxied(inner, "\t\t"))
				}
			}
			b.WriteString("}\n")
		}
	}
	if !s.Shared && !whole {
		b.WriteString("location / {\n\treturn 404;\n}\n")
	}
	return b.String()
}

// nested reports whether the expression of a route stands inside the location of a path that it begins with.
func nested(s Site, r Route) bool {
	for _, outer := range s.Routes {
		for _, p := range outer.Prefixes {
			if strings.HasPrefix(r.Regexp, "^"+p) {
				return true
			}
		}
	}
	return false
}

// proxied is the way of a request to the service, with who asks: Synapse takes the first address of X-Forwarded-For, so
// that what a client wrote there must not come through.
func (st *Stack) proxied(r Route, indent string) string {
	var lines []string
	for _, network := range r.Allow {
		lines = append(lines, "allow "+network+";")
	}
	if len(r.Allow) > 0 {
		lines = append(lines, "deny all;")
	}
	to := st.Backend(r)
	if len(st.Ingress.Ports) == 0 {
		// By a variable it asks Docker for the address anew, which is another one once the container was recreated.
		lines = append(lines, "resolver 127.0.0.11 valid=10s;", "set $stackgen_backend "+to+";")
		to = "$stackgen_backend"
	}
	if r.Strip != "" { // which ends what nginx does of `set` in this location
		lines = append(lines, "rewrite ^"+regexp.QuoteMeta(r.Strip)+"(/.*)$ $1 break;")
	}
	lines = append(lines, "proxy_pass http://"+to+";", "proxy_http_version 1.1;", "proxy_set_header Host $host;",
		"proxy_set_header X-Forwarded-For $remote_addr;", "proxy_set_header X-Forwarded-Proto $scheme;")
	if r.Service == st.Front() {
		// A sync waits, a first one for minutes.
		lines = append(lines, "proxy_read_timeout 10m;", "client_max_body_size "+st.bodySize()+";")
	}
	if r.WebSocket {
		// What the client wants of the connection, and nothing where it wants nothing.
		lines = append(lines, "proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $http_connection;", "proxy_buffering off;", "proxy_read_timeout 10m;")
	}
	for _, h := range r.Headers {
		lines = append(lines, "proxy_hide_header "+h[0]+";", "add_header "+h[0]+" "+strconv.Quote(h[1])+" always;")
	}
	return indent + strings.Join(lines, "\n"+indent) + "\n"
}

// bodySize is the largest body that Synapse takes, as nginx writes it.
func (st *Stack) bodySize() string {
	size := st.Synapse.MaxUploadSize
	n, _ := strconv.Atoi(strings.TrimRight(size, "KMG"))
	for range strings.IndexByte(" KMG", size[len(size)-1]) {
		n *= 1024
	}
	if n <= smallestBody {
		return "13m"
	}
	return strings.ToLower(size)
}
