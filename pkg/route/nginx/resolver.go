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
			host, port := authority(d.arg(0))
			c.resolved[net.JoinHostPort(host, port)] = true
		}
		c.resolves(d.block)
	}
}

// lookedUp is the name that nginx looks up at each request for a URL with variables; "" where it knows the address
// (ngx_http_proxy_module.c, ngx_http_proxy_eval; ngx_http_upstream.c, ngx_http_upstream_init_request).
func (c *config) lookedUp(pass string) string {
	host, port := authority(pass)
	if c.upstreams[host] != nil || c.resolved[net.JoinHostPort(host, port)] || host == "unix" || strings.HasPrefix(host, "[") || net.ParseIP(host) != nil {
		return ""
	}
	return host
}

// authority is the host of a URL and its port, the scheme's where none is said.
func authority(url string) (host, port string) {
	scheme, rest, _ := strings.Cut(url, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest = rest[:i]
	}
	if host, port, err := net.SplitHostPort(rest); err == nil {
		return host, port
	}
	if scheme == "https" {
		return rest, "443"
	}
	return rest, "80"
}
