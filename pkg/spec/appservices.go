package spec

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// noBridges are bridges by mautrix that are not rendered: why, and what to write instead.
var noBridges = map[string][2]string{
	"googlechat": {
		"its last release, v0.5.2, is of 2024 and knows no msc4190, so that next to MAS its bot cannot log in to encrypt (M_UNRECOGNIZED)",
		"where Google Chat is needed all the same: appservices: {googlechat: {image: dock.mau.dev/mautrix/googlechat, version: v0.5.2, …}}, with encryption off in its configuration; for messages of a telephone bridges: {gmessages: {}}",
	},
	"imessage": {"it runs on a Mac or an iPhone, not in a container", "its registration, in synapse.registrations"},
	"facebook": {"it is meta now", "bridges: {meta: {}}"},
	"irc":      {"it has no release yet", "appservices: {irc: {…}} with heisenbridge, as in examples/appservices"},
}

// ofRegistration are the keys of an appservice that say something of a rendered registration.
var ofRegistration = []string{"id", "bot", "users", "aliases", "rooms", "rate_limited", "ephemeral", "encryption", "extra"}

// checkAppservices refuses what Synapse does not start with, and two appservices that are one to it.
func (s *Spec) checkAppservices(d *decoder) {
	ids, bots := map[string]source.Value{"doublepuppet": {}}, make(map[string]source.Value)
	for c := range component.Bridges() {
		if b, ok := s.Bridges[string(c.Program)]; ok {
			names := b.Names(c.Bridge.Names)
			at := s.At("bridges", string(c.Program))
			ids[names.ID], bots[names.Bot] = at, at
		}
	}
	for _, n := range s.Containers() {
		a := n.Appservice
		if a == nil {
			continue
		}
		at := s.At(n.Section...)
		if a.Registration != "" {
			n.checkOwnRegistration(d, at)
			continue
		}
		if a.Port == 0 {
			d.fail(at.At("port"), at.Path()+" has no port; Synapse could not reach it", "port: 9898")
		}
		unique := func(taken map[string]source.Value, key, value string) {
			if other, ok := taken[value]; ok {
				v, sites := at.At(key), []source.Site(nil)
				if !v.Exists() {
					v = at
				}
				if other.Exists() {
					sites = append(sites, other.Site("the other"))
				}
				d.fail(v, fmt.Sprintf("another appservice has the %s %s; Synapse takes the two for one", key, quote(value)), "another "+key+" for one of them", sites...)
			}
			taken[value] = at
		}
		unique(ids, "id", cmp.Or(a.ID, n.Name))
		unique(bots, "bot", cmp.Or(a.Bot, n.Name))
		for kind, list := range map[string][]Namespace{"users": a.Users, "aliases": a.Aliases, "rooms": a.Rooms} {
			for i, item := range at.At(kind).Items() {
				if i >= len(list) || d.unread(item.Keys()) {
					continue
				}
				checkNamespace(d, item, list[i], kind, s.ServerName)
			}
		}
	}
}

func (n Named) checkOwnRegistration(d *decoder, at source.Value) {
	v := at.At("registration")
	if !sourcePath(v.Str()) {
		d.fail(v, v.Path()+" is no path relative to the spec", "registration: files/"+n.Name+".yaml")
	}
	for _, key := range ofRegistration {
		if own := at.At(key); own.Exists() {
			d.fail(own, own.Path()+" belongs to a registration that is rendered, and this one is a file of your own; it would do nothing", "write it into that file, or remove the line `registration`", v.Site("your own"))
		}
	}
}

// sigils are what the ids of each kind of namespace begin with.
var sigils = map[string]string{"users": "@", "aliases": "#", "rooms": "!"}

func checkNamespace(d *decoder, item source.Value, n Namespace, kind, server string) {
	at := item
	if item.Kind() == source.Mapping {
		at = item.At("regex")
	}
	sigil := sigils[kind]
	bare := strings.TrimLeft(n.Regex, "^(?:")
	switch _, err := regexp.Compile(n.Regex); {
	case n.Regex == "":
	case strings.ContainsFunc(n.Regex, unicode.IsControl):
		d.fail(at, at.Path()+" is no expression on one line; it would fit nobody", fmt.Sprintf("%q", sigil+"irc_.*"))
	case err != nil && !strings.Contains(n.Regex, "(?"): // which Python knows more of
		d.fail(at, at.Path()+" is no regular expression; Synapse does not start", fmt.Sprintf("%q", sigil+"irc_.*"))
	case !strings.HasPrefix(bare, sigil) && !strings.HasPrefix(bare, ".") && !strings.HasPrefix(bare, "["):
		d.fail(at, fmt.Sprintf("%s fits nothing: the ids of %s begin with %s", at.Path(), kind, sigil), fmt.Sprintf("%q", sigil+bare))
	case kind == "users" && n.Sole() && (n.Full(server) == "@.*:"+strings.ReplaceAll(server, ".", `\.`)+"$" || n.Regex == ".*"):
		d.fail(at, at.Path()+" claims all users of the server for itself; nobody could have an account any more (M_EXCLUSIVE)", fmt.Sprintf("{regex: %q, exclusive: false}", n.Regex))
	}
}
