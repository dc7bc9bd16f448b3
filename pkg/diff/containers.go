package diff

import (
	"cmp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// containers says what changes for services whose programs are not known: what they keep, and what Synapse knows of them.
func (c *comparison) containers(p *plan) {
	old, now := c.old.deployment, c.new.deployment
	var up []string
	for _, s := range now.Services {
		was := service(old, s.Name)
		if s.Program != component.Unknown || was == nil || was.Program != component.Unknown || optional(was) || optional(s) {
			continue
		}
		if was.Image.Repository == s.Image.Repository && was.Image != s.Image && len(keeps(s)) > 0 {
			up = append(up, s.Name+" "+imageChange(was.Image, s.Image))
		}
		for _, m := range keeps(s) {
			i := slices.IndexFunc(was.Mounts, func(o deployment.Mount) bool { return o.Container == m.Container && !o.ReadOnly })
			if i >= 0 && place(was.Mounts[i]) != place(m) {
				p.first(s.Name, " keeps what it has in ", place(was.Mounts[i]), ", and looks in ", place(m), " from now on: ", c.old.stop(s.Name), ", and move it there")
			}
		}
	}
	if len(up) > 0 {
		p.first("take a backup before the upgrade (RUNBOOK.md, Backup): what another version does to its data only a backup undoes: ", strings.Join(up, ", "))
	}
	for _, a := range old.Appservices {
		if service(now, a.Name) == nil {
			p.first("before ", a.Name, " goes for good: its rooms stay, and nobody answers in them; its line back in the spec has it go on as before")
		}
	}
	for _, a := range now.Appservices {
		i := slices.IndexFunc(old.Appservices, func(o *deployment.Appservice) bool { return o.Name == a.Name })
		if i < 0 {
			continue
		}
		was, is := old.Appservices[i].Registration, a.Registration
		if x, y := was.At("id").Str(), is.At("id").Str(); x != y {
			p.first("Synapse takes ", a.Name, " for another appservice (id ", x, " → ", y, "): what it has not been sent yet it never is; take the old id, unless it begins anew")
		}
		if x, y := was.At("sender_localpart").Str(), is.At("sender_localpart").Str(); x != y {
			p.then("the bot of ", a.Name, " is @", y, " from now on: invite it wherever @", x, " is")
		}
		for _, kind := range []string{"users", "aliases"} {
			if lost := added(regexes(is.At("namespaces", kind)), regexes(was.At("namespaces", kind))); len(lost) > 0 {
				p.first("the ", kind, " that ", a.Name, " has made as ", strings.Join(lost, ", "), " are not its own any more: it cannot act as them, unless another expression has them")
			}
		}
	}
	for _, s := range old.Services {
		if c.old.cluster() { // which keeps in claims
			break
		}
		if again := service(now, s.Name); s.Program == component.Unknown || s.Program == component.Valkey {
			for _, m := range keeps(s) {
				if again == nil || !slices.ContainsFunc(again.Mounts, func(o deployment.Mount) bool { return o.Container == m.Container }) {
					p.then("what ", s.Name, " kept stays in ", place(m), "; remove it by hand when nobody needs it any more")
				}
			}
		}
	}
}

// keeps are the mounts that a service writes to, and that last.
func keeps(s *deployment.Service) (mounts []deployment.Mount) {
	for _, m := range s.Mounts {
		if !m.ReadOnly && !m.Fleeting && place(m) != "" {
			mounts = append(mounts, m)
		}
	}
	return mounts
}

// place is where a mount lies, as the compose file has it.
func place(m deployment.Mount) string { return cmp.Or(m.Source, m.Host) }

func regexes(list source.Value) (texts []string) {
	for _, item := range list.Items() {
		texts = append(texts, item.At("regex").Str())
	}
	return texts
}
