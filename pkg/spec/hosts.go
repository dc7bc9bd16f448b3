package spec

import (
	"cmp"
	"net/url"

	"philipp.info/stackgen/pkg/component"
)

// ElementHost is the host of Element Web; "" where the spec has none.
func (s *Spec) ElementHost() string { return s.hostOf("element", s.Hosts.Element, "element") }

// AdminHost is the host of the page for administrators; "" where the spec has none.
func (s *Spec) AdminHost() string { return s.hostOf("admin", s.Hosts.Admin, "admin") }

// checkPages holds the hosts of what is shown in a browser apart from all others. named says that the others can be compared.
func (s *Spec) checkPages(d *decoder, named bool) {
	taken := make(map[string]string) // by host, whose it is
	for _, page := range []struct{ section, host, what, risk string }{
		{"element", s.Hosts.Element, "Element Web", "media that somebody sends would be of the same origin as the client, and could act in the name of whoever opens it"},
		{"admin", s.Hosts.Admin, "the page for administrators", "media that somebody sends would be of the same origin as it, and could act in the name of an administrator"},
	} {
		at, ok := s.checkExtraHost(d, page.section, page.section, page.host, page.what)
		if !ok {
			continue
		}
		host := s.hostOf(page.section, page.host, page.section)
		if host == "" || !named {
			continue
		}
		fix := "hosts: {" + page.section + ": " + page.section + "." + s.ServerName + "}"
		if host == page.section+"."+s.ServerName {
			fix = "hosts: {" + page.section + ": app." + s.ServerName + "}"
		}
		login, _ := url.Parse(cmp.Or(s.Auth.PublicURL, "https://"+s.MatrixHost()))
		switch {
		case host == s.MatrixHost():
			d.fail(at, upper(page.what)+" is on the Matrix host; "+page.risk, fix)
		case host == s.ServerName:
			d.fail(at, upper(page.what)+" is on the server name's own host, whose site and discovery files stand there", fix)
		case login != nil && host == login.Host:
			d.fail(at, upper(page.what)+" is on the host of MAS; one of the two would answer for the other", fix)
		case page.section == "admin" && host == s.RTCHost():
			d.fail(at, upper(page.what)+" is on the host of calls; one of the two would answer for the other", fix)
		case taken[host] != "":
			d.fail(at, upper(page.what)+" is on the host of "+taken[host]+"; one of the two would answer for the other", fix)
		}
		taken[host] = page.what
	}
}

// upper begins a sentence.
func upper(text string) string { return string(text[0]&^0x20) + text[1:] }

// checkAdmin wants networks from which the admin APIs are reached, and none that holds strangers.
func (s *Spec) checkAdmin(d *decoder) {
	at := s.At("admin")
	fix := "allow_from: [192.168.0.0/16]"
	if at.Exists() && len(s.Admin.AllowFrom) == 0 && !d.unread([]string{"admin", "allow_from"}) {
		d.fail(at, "admin.allow_from is missing; everybody on the internet could try the page and the admin APIs of Synapse and MAS", fix+", the networks that administrators come from")
	}
	for _, item := range at.At("allow_from").Items() {
		switch p, ok := component.Network(item.Str()); {
		case !ok:
			d.fail(item, item.Path()+" is no network; no proxy would take it", "a network such as 192.168.0.0/16, or one address such as 203.0.113.7")
		case component.Open(p):
			d.fail(item, item.Path()+" holds more of the internet than anybody is alone in; strangers could try the admin APIs", "the address or network that administrators come from, such as 203.0.113.7; where it changes, a VPN")
		}
	}
}
