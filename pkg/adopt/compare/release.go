package compare

import (
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// serviceOf is the service of a side by the name that both sides have for it; nil where it has none.
func (s *side) serviceOf(about string) *deployment.Service {
	for svc, called := range s.of {
		if called == about {
			return svc
		}
	}
	return nil
}

// release judges another release of a program: what the spec has no more cannot be kept, and PostgreSQL starts on the data of
// its own major alone. ok is false where one release is as good as the other.
func (c *comparison) release(about string) (v verdict, ok bool) {
	old, ours := c.old.serviceOf(about), c.ours.serviceOf(about)
	if old == nil || ours == nil || old.Program != ours.Program {
		return verdict{}, false
	}
	program := old.Component()
	release, known := old.Image.Version()
	gone := known && release.Less(program.Oldest)
	if from, to := old.Image.Major(), ours.Image.Major(); program.Program == component.Postgres && from != "" && from != to {
		starts := "PostgreSQL " + to + " does not start on the data of " + from
		if gone {
			return verdict{kind: Lost, why: starts + ", and the spec has none before " + strconv.Itoa(program.Oldest[0]) +
				": dump all of it, bring the old stack to a later one in an empty place, restore it there, and import again"}, true
		}
		return verdict{kind: Decision, why: starts, keep: "database: {version: {old}}"}, true
	}
	switch {
	case !gone:
		return verdict{}, false
	case program.Program == component.Element: // which keeps nothing
		return verdict{kind: Safer, why: program.OldestWhy}, true
	}
	return verdict{kind: Lost, why: "the spec has no " + program.Title + " before " + program.Oldest.String() + " (" + program.OldestWhy +
		"): {new} runs from then on, and what it does to its data only a backup undoes"}, true
}

// special judges what hangs on more than the two facts.
func (c *comparison) special(k id, old, now fact, w where) (verdict, bool) {
	same := func(why string) (verdict, bool) { return verdict{kind: Same, why: why}, true }
	was := c.old.serviceOf(k.about)
	switch {
	case k.doc == "requests" && old.shown == now.shown:
		return verdict{kind: Decision, why: "the same answers, and what stands before it has other settings", keep: "its labels, or its file, as they were"}, true
	case was == nil:
	case k.doc == "service" && k.key == "version" && w == onBoth:
		return c.release(k.about)
	case k.doc == "service" && k.key == "" && w == onOld && c.broker(was):
		return same("Valkey takes its place: " + between)
	case k.doc == "ports" && w == onOld && c.idle(was, old):
		return same("nothing in the container listens there")
	case k.doc == "ports" && w == onOld && c.doorHas(was, k.key):
		return same("HAProxy is published there, and leads to the processes of Synapse")
	case k.doc == "files" && w == onOld && c.isWorker(was):
		return same("what a process of synapse.workers reads follows from the spec")
	case k.doc == "mounts" && w == onOld && was.Program != component.Unknown && c.elsewhere(k.about, old):
		return same("it is at another path of the container, where ours looks for it")
	case k.doc == "mounts" && w == onOurs && was.Program != component.Unknown && c.sameElsewhere(k.about, now):
		return same("it was at another path of the container, where the old one looked for it")
	case k.doc == "service" && strings.HasPrefix(k.key, "healthcheck.") && c.both(id{k.about, "service", "healthcheck.test"}) && !strings.HasPrefix(old.text, "NONE"):
		return same("it is only how Compose asks whether the program answers, and how often")
	case k.key == "macaroon_secret_key" && w == onOurs:
		return c.macaroons(k.about, now)
	case k.doc == "config" && w == onOld && strings.HasPrefix(k.key, "listeners[") && strings.Contains(k.key, "].bind_addresses["):
		return c.bound(was, k)
	case k.doc == "mounts" && w == onBoth && old.shown == now.shown:
		return same("it is the same file of the machine")
	case k.doc == "environment" && w == onOurs && was.EnvUnread != "":
		return verdict{kind: Decision, why: "what its environment says stands in a file that is not here: whether it had it cannot be told", keep: "import where the file is"}, true
	}
	if name, ok := strings.CutPrefix(k.doc, "registration "); ok && k.key == "io.element.msc4190" && w == onOurs && c.bridged(name) {
		return same("by it the bridge makes its devices without a login; Synapse refuses logins of the appservice, which no bridge of ours does")
	}
	if strings.HasPrefix(k.doc, "registration ") && k.key == "sender_localpart" && w == onBoth && old.secret {
		return same("it is a name that was made up, and nobody speaks by it: its bot and its users have others")
	}
	return verdict{}, false
}

// broker reports whether by a service the processes of Synapse spoke to each other, and speak by Valkey from then on.
func (c *comparison) broker(was *deployment.Service) bool {
	return withWorkers(c, fact{}) && slices.ContainsFunc(c.old.Synapses, func(syn *deployment.Synapse) bool {
		return c.old.ServiceAt(syn.Config.At("redis", "host").Str()) == was
	})
}

// doorHas reports whether HAProxy is published where a Synapse with workers was.
func (c *comparison) doorHas(was *deployment.Service, port string) bool {
	return was.Program == component.Synapse && withWorkers(c, fact{}) && slices.ContainsFunc(c.ours.Services, func(svc *deployment.Service) bool {
		return svc.Program == component.HAProxy && slices.ContainsFunc(svc.Ports, func(p deployment.Port) bool { return portKey(p) == port })
	})
}

func (c *comparison) isWorker(was *deployment.Service) bool {
	return withWorkers(c, fact{}) && slices.ContainsFunc(c.old.Workers, func(w *deployment.Worker) bool { return w.Service == was })
}

// macaroons judges the secret that Synapse signs with where it had none of its own: it takes registration_shared_secret, and
// its signing key only where that is missing, too (synapse/config/key.py of 1.163).
func (c *comparison) macaroons(about string, now fact) (verdict, bool) {
	const from = "Synapse took registration_shared_secret for it"
	theirs, was := c.old.facts[id{about, "config", "registration_shared_secret"}]
	switch {
	case !was:
		return verdict{}, false
	case theirs.text == now.text:
		return verdict{kind: Same, why: from + ", and that it is"}, true
	case signsLittle(c, now):
		return verdict{kind: Same, why: from + "; what it signed with that holds for a login that is under way"}, true
	}
	return verdict{
		kind: Decision, why: from + ": tokens of guests, and links to get no more mails, that it signed with that do not hold any more",
		keep: "stackgen secrets set synapse.macaroon_secret_key, with the old registration_shared_secret",
	}, true
}

// bound judges the address that a listener of Synapse had: at a loopback nobody else could ask it.
func (c *comparison) bound(was *deployment.Service, k id) (verdict, bool) {
	list, _, _ := strings.Cut(k.key, ".bind_addresses[")
	inside := true
	for other, f := range c.old.facts {
		if other.about == k.about && other.doc == k.doc && strings.HasPrefix(other.key, list+".bind_addresses[") {
			text, _ := strconv.Unquote(f.text)
			inside = inside && deployment.Loopback(text)
		}
	}
	if _, there := c.ours.facts[id{k.about, k.doc, list + ".port"}]; !there || !inside {
		return verdict{}, false
	}
	if was.NetworkMode.Str() == "host" {
		return verdict{kind: Same, why: "it is in a network of the stack, and not in that of the machine; who reaches it is compared by itself"}, true
	}
	return verdict{kind: Decision, why: "it listened within its own container alone; from then on the other services of the stack, and the proxy, reach it", keep: "synapse: {extra: {listeners: …}} as they were"}, true
}

// bridged reports whether a registration of ours is that of a bridge.
func (c *comparison) bridged(registration string) (is bool) {
	c.ours.BridgeRegistrations(func(_ *deployment.Synapse, reg *deployment.Registration, _ *deployment.Bridge) {
		is = is || reg.At("id").Str() == registration
	})
	return is
}

// sameElsewhere reports whether the old stack had the same place of the machine in the container, at another path.
func (c *comparison) sameElsewhere(about string, now fact) bool {
	for k, old := range c.old.facts {
		if k.about == about && k.doc == "mounts" && now.text == old.text && !strings.HasSuffix(k.key, " (mode)") {
			return true
		}
	}
	return false
}

// elsewhere reports whether ours has the same place of the machine in the container, at another path.
func (c *comparison) elsewhere(about string, old fact) bool {
	for k, now := range c.ours.facts {
		if k.about == about && k.doc == "mounts" && now.text == old.text && !strings.HasSuffix(k.key, " (mode)") {
			return true
		}
	}
	return false
}

// idle reports whether nothing in the container of Synapse listens on a port that is published for it.
func (c *comparison) idle(was *deployment.Service, old fact) bool {
	for _, syn := range c.old.Synapses {
		all := syn.Listeners()
		if syn.Service == was && len(all) > 0 {
			return !slices.ContainsFunc(all, func(l deployment.Listener) bool { return l.Port == old.text })
		}
	}
	return false
}

// respell has a bridge whose configuration is of two dialects be compared by what it means where each has it in a place, or in
// a word, of its own: its bot, the names of its users, and who may do what.
func (c *comparison) respell() {
	for _, old := range c.old.Bridges {
		for _, ours := range c.ours.Bridges {
			if about := c.old.whom(old.Service); about == c.ours.whom(ours.Service) && old.Dialect != ours.Dialect {
				c.old.respell(old, about, ours.Keys())
				c.ours.respell(ours, about, ours.Keys())
			}
		}
	}
}

// respell puts what a bridge says under the keys of a dialect, in its words.
func (s *side) respell(b *deployment.Bridge, about string, as *component.Shape) {
	is := b.Keys()
	for from, to := range map[string]string{is.Bot: as.Bot, is.Ghosts: as.Ghosts} {
		k := id{about, "config", from}
		f, had := s.facts[k]
		if !had {
			continue
		}
		if from == is.Ghosts {
			f.text = strings.ReplaceAll(strings.ReplaceAll(f.text, "{{ . }}", "{{.}}"), is.Placeholder, as.Placeholder)
		}
		f.why = "each release says it in a place of its own"
		delete(s.facts, k)
		s.facts[id{about, "config", to}] = f
	}
	for k, f := range s.facts {
		if k.about != about || k.doc != "config" || !strings.HasPrefix(k.key, "bridge.permissions.") {
			continue
		}
		for _, word := range as.Meant {
			if f.text == strconv.Quote(word[0]) {
				f.text, f.why = strconv.Quote(word[1]), "it is what the one release calls "+word[0]+", and the other "+word[1]
				s.facts[k] = f
			}
		}
	}
}
