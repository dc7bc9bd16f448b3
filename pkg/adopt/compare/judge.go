package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// compare holds the facts of both sides against each other.
func (c *comparison) compare() {
	c.order = append([]string{theStack}, c.order...)
	keys := make(map[id]bool)
	for _, s := range []*side{c.old, c.ours} {
		for k := range s.facts {
			keys[k] = true
		}
		for _, text := range s.unseen {
			if !slices.Contains(c.Unseen, text) {
				c.Unseen = append(c.Unseen, text)
			}
		}
	}
	labels := make(map[id]int)
	changed := make(map[string]bool) // lists whose items differ: their order says nothing
	var differ []id
	for _, k := range slices.SortedFunc(maps.Keys(keys), func(a, b id) int {
		return slices.Compare([]string{a.about, a.doc, a.key}, []string{b.about, b.doc, b.key})
	}) {
		old, was := c.old.facts[k]
		now, is := c.ours.facts[k]
		if was && is && old.text == now.text {
			c.Equal++
			if old.raw != now.raw && !old.order {
				c.Differences = append(c.Differences, c.difference(k, old, now, verdict{kind: Same, why: firstOf(old.why, now.why)}))
			}
			continue
		}
		differ = append(differ, k)
		if list, _, item := strings.Cut(k.key, "["); item {
			changed[k.about+k.doc+list] = true
		}
	}
	for _, k := range differ {
		old, was := c.old.facts[k]
		now, is := c.ours.facts[k]
		w := onBoth
		switch {
		case !is:
			w = onOld
		case !was:
			w = onOurs
		}
		if base, isMode := strings.CutSuffix(k.key, " (mode)"); isMode && !c.both(id{k.about, k.doc, base}) {
			continue // the mount itself is told
		}
		if _, network, named := strings.Cut(strings.TrimPrefix(k.key, theName), " in "); k.doc == "networks" && named && !c.both(id{k.about, k.doc, network}) {
			continue // that it leaves the network, or joins it, is told
		}
		if list, isOrder := strings.CutSuffix(k.key, inOrder); isOrder && changed[k.about+k.doc+list] {
			continue
		}
		// Labels for a proxy that cannot be seen are one question of a service.
		if group := (id{k.about, k.doc, fmt.Sprint(w)}); k.doc == "routing" && !c.routed {
			if i, had := labels[group]; had {
				c.Differences[i].Also = append(c.Differences[i].Also, k.key)
				continue
			}
			labels[group] = len(c.Differences)
		}
		c.Differences = append(c.Differences, c.difference(k, old, now, c.judge(k, old, now, w)))
	}
}

// both reports whether both sides say something of it.
func (c *comparison) both(k id) bool {
	_, was := c.old.facts[k]
	_, is := c.ours.facts[k]
	return was && is
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return "it is written in another way"
}

func (c *comparison) difference(k id, old, now fact, v verdict) Difference {
	d := Difference{
		Kind: v.kind, About: k.about, Doc: k.doc, Key: k.key, Old: old.shown, New: now.shown, Secret: old.secret || now.secret,
		OldAt: old.at, NewAt: now.at,
	}
	if d.Secret {
		d.Old, d.New = "", ""
	}
	d.Why, d.Keep = c.fill(v.why, d), c.fill(v.keep, d)
	d.all = c.fill(strings.NewReplacer("{key}: {old}", "these as they were", "{key}", "these", "{old}", "what it was").Replace(v.keep), d)
	d.cause = c.cause(k, v, d)
	return d
}

// cause tells differences apart that ask for an answer each. One of the whole stack is the same for every program, one of a
// setting the same for its block.
func (c *comparison) cause(k id, v verdict, d Difference) string {
	switch words := v.why + v.keep; {
	case k.doc == "requests":
		return d.Why + d.Keep
	case v.why == anotherShape:
		return k.about + v.why
	case v.why == goneWorkers:
		return v.why
	case !strings.Contains(words, "{"):
		return words
	case k.doc == "config" || k.doc == "settings":
		block, _, _ := strings.Cut(strings.ReplaceAll(k.key, "[", "."), ".")
		if name, _, limit := strings.Cut(block, "_"); limit && name == "rc" {
			block = name
		}
		if !strings.Contains(k.key, ".") && block != "rc" {
			block = ""
		}
		return strings.Join([]string{k.about, k.doc, block, v.why, v.keep}, "\x00")
	case strings.Contains(v.keep, "{key}") || strings.Contains(words, "{old}"):
		return strings.Join([]string{k.about, k.doc, d.Why, d.Keep}, "\x00")
	}
	return strings.Join([]string{k.about, k.doc, v.why, v.keep}, "\x00")
}

// fill puts what the difference is about into the words of a verdict.
func (c *comparison) fill(text string, d Difference) string {
	value := func(text string) string {
		switch runes := []rune(text); {
		case d.Secret:
			return "the secret"
		case text == "":
			return "…"
		case len(runes) > maxValue:
			return string(runes[:maxValue]) + "…"
		}
		return text
	}
	return strings.NewReplacer("{about}", d.About, "{doc}", d.Doc, "{key}", d.Key, "{old}", value(d.Old), "{new}", value(d.New), "{section}", section(d.About), "{service}", c.extraOf(d.About)).Replace(text)
}

// maxValue is how much of a value stands in a sentence.
const maxValue = 60

// extraOf is where the spec has what is laid onto a service.
func (c *comparison) extraOf(about string) string {
	name := "…"
	for _, s := range []*side{c.old, c.ours} {
		for svc, called := range s.of {
			if called == about {
				name = svc.Name
			}
		}
	}
	return "compose: {extra: {services: {" + name + ": …}}}"
}

// sections are where the spec has the programs that it calls otherwise.
var sections = map[string]string{
	"mas": "auth", "postgres": "database", "livekit": "calls.livekit", "lk-jwt": "calls.jwt", "coturn": "turn", "ketesa": "admin", "traefik": "ingress.traefik",
}

// section is where the spec has a program.
func section(about string) string {
	name, _ := strings.CutPrefix(about, "bridge ")
	if name != about {
		return "bridges." + name
	}
	if at := sections[about]; at != "" {
		return at
	}
	return about
}

// where says which side has something.
type where int

const (
	onEither where = iota
	onOld          // only the old deployment has it
	onOurs         // only ours has it
	onBoth         // each has another one
)

// verdict says of what kind a difference is, and why. The patterns, in which ** is any text, are of whom it is about, what
// says it, its key, and what each side has; "" is anything.
type verdict struct {
	about, doc, key string
	where           where
	kind            Kind
	why, keep       string
	old, new        string
	when            func(c *comparison, now fact) bool // what else has to be so; nil for nothing
}

func (v verdict) fits(c *comparison, k id, old, now fact, w where) bool {
	return (v.where == onEither || v.where == w) && match(v.about, k.about) && match(v.doc, k.doc) && match(v.key, k.key) &&
		(v.old == "" || match(v.old, old.shown)) && (v.new == "" || match(v.new, now.shown)) &&
		(v.when == nil || v.when(c, now))
}

// stays reports whether a file of the old stack lies where the same service finds it in ours, too.
func (c *comparison) stays(about, name string) bool {
	for svc, called := range c.ours.of {
		if called == about && svc.Sees(name) {
			return true
		}
	}
	return false
}

// judge is the first verdict that fits.
func (c *comparison) judge(k id, old, now fact, w where) verdict {
	if k.doc == "config" && (w == onOld && c.isDefault(k, c.old) || w == onOurs && c.isDefault(k, c.ours)) {
		return verdict{kind: Same, why: "it is the default of the program"}
	}
	if k.doc == "service" && k.key == "hostname" && c.called(k.about, old.shown) {
		return verdict{kind: Same, why: "it is called that anyway"}
	}
	if old.unseen && now.secret && !now.unseen {
		return verdict{kind: Decision, why: "its value stands in a file or a variable that is not here, and a new one is made: whoever has the old one is rejected", keep: "stackgen secrets set, with the old one; or import where the files are"}
	}
	if v, ok := c.special(k, old, now, w); ok {
		return v
	}
	if k.doc == "files" && w == onOld && c.stays(k.about, old.at.File) {
		k.doc = "files that stay"
	}
	if k.doc == "files" && w == onOld && !c.old.led(k.about, k.key) {
		return verdict{kind: Same, why: "nothing in its configuration leads there"}
	}
	if strings.HasPrefix(k.doc, "registration ") && w != onBoth && c.widened(k, w) {
		return verdict{kind: Same, why: "every name that begins so is the bridge's, whose own all do, and nobody else can take one"}
	}
	if base, ok := strings.CutSuffix(k.key, pushEphemeral); ok && strings.HasPrefix(k.doc, "registration ") {
		if as, there := c.old.facts[id{k.about, k.doc, base + "receive_ephemeral"}]; there && w == onOurs && as.text == now.text {
			return verdict{kind: Same, why: "receive_ephemeral says it to today's Synapse"}
		}
	}
	if k.doc == "config" && (c.old.replicates(k.key) || c.ours.replicates(k.key)) {
		if withWorkers(c, now) {
			return verdict{kind: Same, why: whose}
		}
		if noWorkers(c, now) {
			return verdict{kind: Same, why: "by it a process speaks to its workers, and there are none"}
		}
		return verdict{kind: Decision, why: goneWorkers, keep: keepWorkers}
	}
	if k.doc == "routing" && !c.routed {
		k.doc = "routing unseen"
	}
	if k.doc == "requests" && now.shown == nobody && c.asksName(k.key) {
		if first(old.shown) == "synapse" && !c.servesName(k.key) {
			return verdict{kind: Same, why: "Synapse answers 404 there, too"}
		}
		k.doc = "requests of the server name"
	}
	if k.doc == "requests" {
		if v, ok := c.asked(k.key, old, now); ok {
			return v
		}
	}
	if k.doc == "requests" && now.shown == old.shown+", through headers" {
		return verdict{kind: Safer, why: "browsers are told what they may do with the page: no other page shows it in a frame"}
	}
	for _, list := range [][]verdict{verdicts, configured} {
		for _, v := range list {
			if v.fits(c, k, old, now, w) {
				if old.unseen && v.kind == Decision {
					return verdict{kind: Decision, why: "its value stands in a file or a variable that is not here: whether ours does the same cannot be told", keep: v.keep}
				}
				if general := v.about == "**" && v.key == "**"; general && k.doc == "config" && c.reshaped(k.about) {
					return verdict{kind: Decision, why: anotherShape, keep: "{section}: {version: …} with the release that runs"}
				}
				return v
			}
		}
	}
	return verdict{kind: Decision, why: "what this does is not known"}
}

// called reports whether others find a service of ours by the name.
func (c *comparison) called(about, name string) bool {
	for svc, called := range c.ours.of {
		if called == about && slices.Contains(svc.Names(), name) {
			return true
		}
	}
	return false
}

// anotherShape is said of what a bridge has in a configuration of another dialect.
const anotherShape = "its configuration is of another release than the one that is rendered, which has these settings in other places, or not at all"

// reshaped reports whether a bridge has configurations of two dialects.
func (c *comparison) reshaped(about string) bool {
	shape := func(s *side) component.Dialect {
		for _, b := range s.Bridges {
			if s.whom(b.Service) == about {
				return b.Dialect
			}
		}
		return ""
	}
	old, ours := shape(c.old), shape(c.ours)
	return old != "" && ours != "" && old != ours
}

// pushEphemeral is what receive_ephemeral was called before it was a part of Matrix.
const pushEphemeral = "de.sorunome.msc2409.push_ephemeral"

const (
	clientWellKnown = "/.well-known/matrix/client"
	serverWellKnown = "/.well-known/matrix/server"
)

// asksName reports whether a request asks the name of the server itself where the homeserver is; there alone clients and
// servers ask.
func (c *comparison) asksName(key string) bool {
	for _, syn := range c.old.Synapses {
		name := syn.Config.At("server_name").Str()
		if key == "GET "+name+clientWellKnown || key == "GET "+name+serverWellKnown {
			return true
		}
	}
	return false
}

// servesName reports whether Synapse answers it itself: for clients where public_baseurl is written, for servers where
// serve_server_wellknown is true (synapse/config/server.py and synapse/rest/well_known.py of 1.163).
func (c *comparison) servesName(key string) bool {
	for _, syn := range c.old.Synapses {
		if strings.HasSuffix(key, clientWellKnown) && syn.Config.At("public_baseurl").Set() || strings.HasSuffix(key, serverWellKnown) && syn.Config.At("serve_server_wellknown").True() {
			return true
		}
	}
	return false
}

// widened reports whether ours names all users or aliases that begin in one way, and the old registration some of these.
func (c *comparison) widened(k id, w where) bool {
	list, lead, all := namespace(k.key)
	if list == "" || w == onOurs && !all {
		return false
	}
	other := c.old
	if w == onOld {
		other = c.ours
	}
	for o := range other.facts {
		of, begin, any := namespace(o.key)
		if o.about != k.about || o.doc != k.doc || of != list {
			continue
		}
		if w == onOurs && strings.HasPrefix(begin, lead) || w == onOld && any && strings.HasPrefix(lead, begin) {
			return true
		}
	}
	return false
}

// namespace takes the key of a namespace apart: its list, how the names in it begin, and whether all do that begin so. It has
// none where they begin in no way of their own.
func namespace(key string) (list, lead string, all bool) {
	list, rest, ok := strings.Cut(key, "[")
	end := strings.LastIndex(rest, "].")
	if !ok || end < 0 || !strings.HasPrefix(list, "namespaces.") {
		return "", "", false
	}
	at := strings.IndexAny(rest[:end], `[](){}.*+?|\^$`)
	if at < 2 { // the sigil and a letter
		return "", "", false
	}
	lead, rest = rest[:at], rest[at:end]
	return list, lead, strings.HasPrefix(rest, ".*:") || strings.HasPrefix(rest, ".+:")
}
