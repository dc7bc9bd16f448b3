package compare

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// special judges what hangs on more than the two facts.
func (c *comparison) special(k id, old, now fact, w where) (verdict, bool) {
	same := func(why string) (verdict, bool) { return verdict{kind: Same, why: why}, true }
	was := c.old.serviceOf(k.about)
	switch {
	case k.doc == "requests" && old.shown == now.shown:
		return verdict{kind: Decision, why: "the same answers, and what stands before it has other settings", keep: "its labels, or its file, as they were"}, true
	case k.doc == "beside" && w == onOld && c.old.scripted(k.key) != nil:
		if lost := c.callsLost(k.key); lost != "" {
			return verdict{kind: Decision, why: "no service reads it, and it stays where it is; but it calls " + lost + ", which nobody is called from then on", keep: "the names of today in it, or compose: {extra: …} with the old ones"}, true
		}
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
	case k.doc == "mounts" && w == onOld && was.Program != component.Unknown && c.ours.hasPlace(k.about, old):
		return same("it is at another path of the container, where ours looks for it")
	case k.doc == "mounts" && w == onOurs && was.Program != component.Unknown && c.old.hasPlace(k.about, now):
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

// scripted is the text of a file that a shell reads; nil of another.
func (s *side) scripted(name string) []byte {
	if base := path.Base(name); path.Ext(base) != ".sh" && base != "Makefile" && base != "justfile" && !strings.Contains(base, "cron") {
		return nil
	}
	text, _ := source.ReadFS(s.FS, name)
	return text
}

// callsLost is the name of a service or container that a script hands to docker, and that ours has not.
func (c *comparison) callsLost(script string) string {
	for line := range strings.SplitSeq(string(c.old.scripted(script)), "\n") {
		if !strings.Contains(line, "docker") || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		words := strings.FieldsFunc(line, func(r rune) bool {
			return r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
		for _, svc := range c.old.Services {
			for _, name := range []string{svc.ContainerName.Str(), svc.Name} {
				if name != "" && slices.Contains(words, name) && !c.ours.calls(name) {
					return name
				}
			}
		}
	}
	return ""
}

// calls reports whether a service or a container has the name.
func (s *side) calls(name string) bool {
	return slices.ContainsFunc(s.Services, func(svc *deployment.Service) bool { return svc.Name == name || svc.ContainerName.Str() == name })
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

// hasPlace reports whether a container has the place of the machine that a mount of the other stack has, at whichever path.
func (s *side) hasPlace(about string, other fact) bool {
	for k, f := range s.facts {
		if k.about == about && k.doc == "mounts" && f.text == other.text && !strings.HasSuffix(k.key, " (mode)") {
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
