package nginx

import (
	"net"
	"strings"
)

// resolves notes the addresses that stand without a variable: nginx looks them up at its start, and takes what it found wherever a
// variable gives the same (ngx_http_upstream.c, ngx_http_upstream_add and ngx_http_upstream_init_request).
func (c *config) resolves(lines []*directive) {
	for _, d := range lines {
		if d.name == "proxy_pass" && !strings.Contains(d.arg(0), "$") {
			scheme, rest, _ := authority(d.arg(0))
			c.resolved[net.JoinHostPort(hostPort(scheme, rest))] = true
		}
		c.resolves(d.block)
	}
}

// lookedUp is the name that nginx looks up at each request for a URL with variables; "" where it knows the address
// (ngx_http_proxy_module.c, ngx_http_proxy_eval; ngx_http_upstream.c, ngx_http_upstream_init_request).
func (c *config) lookedUp(pass string) string {
	scheme, rest, _ := authority(pass)
	host, port := hostPort(scheme, rest)
	if c.upstreams[host] != nil || c.resolved[net.JoinHostPort(host, port)] || strings.HasPrefix(host, "unix:") || net.ParseIP(host) != nil {
		return ""
	}
	return host
}

// authority is the scheme of a URL, what stands between it and the path, and the path. Behind a socket a colon
// stands before the path.
func authority(url string) (scheme, rest, part string) {
	scheme, rest, _ = strings.Cut(url, "://")
	if socket, ok := strings.CutPrefix(rest, "unix:"); ok {
		socket, part, _ = strings.Cut(socket, ":")
		return scheme, "unix:" + socket, part
	}
	rest, _, _ = strings.Cut(rest, "?")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest, part = rest[:i], rest[i:]
	}
	return scheme, rest, part
}

// hostPort splits an address; the port is that of the scheme where none is said, and a socket has none.
func hostPort(scheme, address string) (host, port string) {
	if strings.HasPrefix(address, "unix:") {
		return address, ""
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return strings.Trim(address, "[]"), map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return host, port
}
