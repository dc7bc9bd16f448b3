package component

import "net/netip"

// Ketesa is a page for administrators in a browser. Of those that there are it is the one that logs in at MAS and at
// Synapse alike, and whose configuration holds it to one homeserver.
const Ketesa Program = "ketesa"

var ketesa = Component{
	Program: Ketesa, Title: "ketesa",
	Images:   []string{"ketesa"},
	Tag:      TagForm{"v", `[0-9]+\.[0-9]+\.[0-9]+`},
	Versions: Minors,
	Tested:   Ref{Repository: "ghcr.io/etkecc/ketesa", Tag: "v1.4.0"},
	Oldest:   Version{1, 0, 0}, OldestWhy: "what is older has another name and reads another configuration",
	Container: &Container{
		User: "1000:1000", ReadsAsUser: true, // sws of static-web-server
		Config:  Config{File: "/var/public/config.json"},
		Affects: "administrators who have it open",
	},
	Port: 8080,
}

// private are the networks that no request from the internet comes from: RFC 1918, loopback, 6598, link-local, and their like of IPv6.
var private = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"}

// Network reads a network, or an address as a network of one.
func Network(text string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// Open reports whether an allow-list with this network lets strangers in: it is on the internet, and larger than what one
// house, office or provider of VPNs has (/16, or /32 of IPv6).
func Open(p netip.Prefix) bool {
	for _, text := range private {
		if in := netip.MustParsePrefix(text); in.Contains(p.Addr()) && p.Bits() >= in.Bits() {
			return false
		}
	}
	return p.Addr().Is4() && p.Bits() < 16 || p.Addr().Is6() && p.Bits() < 32
}
