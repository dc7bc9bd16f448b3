// Package coturn reads the settings of the TURN server coturn out of turnserver.conf and its command line, the way
// the program does (coturn 4.17.1, src/apps/relay/mainrelay.c).
package coturn

import (
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Option is one setting under its long name. Value is empty where it stands alone.
type Option struct {
	Name, Value string
	Site        source.Site
	// Open says that a variable in it has no value here, as in Word.
	Open bool
}

// Settings are all options that the program is given, in the order in which it takes them.
type Settings []Option

// Word is one argument of the command line, with its place.
type Word struct {
	Text string
	Site source.Site
	Open bool // a variable in it is set nowhere that can be seen
}

// Parse reads turnserver.conf: a line is a name and, behind blanks or =, its value.
func Parse(f *source.File) (list Settings) {
	n := 0
	for line := range strings.Lines(string(f.Src)) {
		n++
		text := strings.TrimSpace(line)
		if text == "" || text[0] == '#' {
			continue
		}
		name, value := text, ""
		if i := strings.IndexAny(text, " =\t"); i >= 0 {
			name, value = text[:i], strings.TrimLeft(text[i:], " =\t")
		}
		if rest, quoted := strings.CutPrefix(value, `"`); quoted {
			value = strings.TrimSuffix(rest, `"`)
		}
		col := 1 + strings.Index(line, text[:1])
		list = append(list, Option{Name: name, Value: value, Site: source.Site{Pos: source.Pos{File: f.Path, Line: n, Col: col}}})
	}
	return list
}

// short are the names of the letters.
var short = map[byte]string{
	'c': "c", 'n': "n", 'd': "listening-device", 'p': "listening-port", 'L': "listening-ip", 'E': "relay-ip", 'X': "external-ip",
	'i': "relay-device", 'm': "relay-threads", 'l': "log-file", 'r': "realm", 'u': "user", 'b': "userdb", 'e': "psql-userdb",
	'M': "mysql-userdb", 'J': "mongo-userdb", 'N': "redis-userdb", 'O': "redis-statsdb", 'q': "user-quota", 'Q': "total-quota",
	's': "max-bps", 'B': "bps-capacity", 'C': "rest-api-separator", 'K': "keep-address-family", 'A': "allocation-default-address-family",
	'v': "verbose", 'V': "Verbose", 'o': "daemon", 'f': "fingerprint", 'z': "no-auth", 'a': "lt-cred-mech", 'S': "stun-only", 'h': "help",
}

// alone are the letters that take no value.
const alone = "nvVofhzaS"

// Flags reads the command line. A long option that may stand alone takes a value only behind =.
func Flags(words []Word) (list Settings) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		next := func() string {
			if i+1 < len(words) {
				i++
				w.Open = w.Open || words[i].Open
				return words[i].Text
			}
			return ""
		}
		if long, ok := strings.CutPrefix(w.Text, "--"); ok && long != "" {
			name, value, given := strings.Cut(long, "=")
			if !given && strings.Contains(needs, " "+name+" ") {
				value = next()
			}
			list = append(list, Option{Name: name, Value: value, Site: w.Site, Open: w.Open})
			continue
		}
		if len(w.Text) < 2 || w.Text[0] != '-' || short[w.Text[1]] == "" {
			continue
		}
		for at := 1; at < len(w.Text); at++ {
			name, value := short[w.Text[at]], ""
			if !strings.Contains(alone, w.Text[at:at+1]) {
				if value = w.Text[at+1:]; value == "" {
					value = next()
				}
				at = len(w.Text)
			}
			list = append(list, Option{Name: name, Value: value, Site: w.Site, Open: w.Open})
		}
	}
	return list
}

// needs are the long options that take a value, of those that matter here.
const needs = " listening-device listening-port tls-listening-port alt-listening-port alt-tls-listening-port tcp-proxy-port " +
	"listening-ip relay-device relay-ip external-ip relay-threads min-port max-port sock-buf-size user userdb db psql-userdb " +
	"sql-userdb mysql-userdb mongo-userdb redis-userdb redis-statsdb prometheus-port prometheus-address prometheus-path " +
	"static-auth-secret realm server-name user-quota total-quota max-bps bps-capacity cert pkey pkey-pwd log-file log-min-level " +
	"new-log-timestamp-format aux-server alternate-server tls-alternate-server rest-api-separator max-allocate-timeout " +
	"allowed-peer-ip denied-peer-ip cipher-list pidfile dh-file proc-user proc-group cli-ip cli-port cli-password web-admin-ip " +
	"web-admin-port cli-max-output-sessions ec-curve-name secret-key-file allocation-default-address-family acme-redirect cpus "

// All gives the options with one of the names.
func (s Settings) All(names ...string) (list []Option) {
	for _, o := range s {
		if slices.Contains(names, o.Name) {
			list = append(list, o)
		}
	}
	return list
}

// Last gives the option that counts where it may stand once; ok is false where there is none.
func (s Settings) Last(name string) (o Option, ok bool) {
	list := s.All(name)
	if len(list) == 0 {
		return o, false
	}
	return list[len(list)-1], true
}

// On reports whether a switch is on: alone, or with a value that does not say no.
func (s Settings) On(name string) bool {
	o, ok := s.Last(name)
	no := o.Value != "" && strings.ContainsAny(o.Value[:1], "0nNfF") || strings.EqualFold(o.Value, "off")
	return ok && !no
}

// Port is the port under a name, or what the program takes without it.
func (s Settings) Port(name, otherwise string) string {
	if o, ok := s.Last(name); ok {
		return o.Value
	}
	return otherwise
}

// Range is what a peer is refused or allowed by.
type Range struct {
	From, To netip.Addr
	Option
}

// Ranges reads the options with that name, denied-peer-ip or allowed-peer-ip. Those in a form that coturn does not read,
// such as 10.0.0.0/8, come back as wrong.
func (s Settings) Ranges(name string) (ranges []Range, wrong []Option) {
	for _, o := range s.All(name) {
		from, to, two := strings.Cut(o.Value, "-")
		if !two {
			to = from
		}
		a, err := netip.ParseAddr(from)
		b, err2 := netip.ParseAddr(to)
		if err != nil || err2 != nil || a.BitLen() != b.BitLen() {
			wrong = append(wrong, o)
			continue
		}
		ranges = append(ranges, Range{From: a, To: b, Option: o})
	}
	return ranges, wrong
}

// Reachable reports whether a peer in the network is relayed to: some of it is not denied, or a range of it is allowed
// before all else. One allowed address alone is the relay's own, as a rule.
func (s Settings) Reachable(network netip.Prefix) bool {
	first, last := network.Masked().Addr(), Last(network)
	denied, _ := s.Ranges("denied-peer-ip")
	allowed, _ := s.Ranges("allowed-peer-ip")
	for _, a := range allowed {
		if a.From != a.To && a.From.BitLen() == first.BitLen() && !a.To.Less(first) && !last.Less(a.From) {
			return true
		}
	}
	slices.SortFunc(denied, func(a, b Range) int { return a.From.Compare(b.From) })
	at := first
	for _, d := range denied {
		if d.From.BitLen() != at.BitLen() || d.To.Less(at) {
			continue
		}
		if at.Less(d.From) {
			return true
		}
		if !d.To.Less(last) {
			return false
		}
		at = d.To.Next()
	}
	return true
}

// Last is the last address of a network.
func Last(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(bytes)
	return a
}
