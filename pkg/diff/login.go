package diff

import (
	"slices"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// ownLogin is the Synapse that logs users in itself; nil where MAS does.
func ownLogin(d *deployment.Deployment) *deployment.Synapse {
	i := slices.IndexFunc(d.Synapses, func(s *deployment.Synapse) bool { return !s.Delegates() && !s.Partial() })
	if i < 0 || len(d.MASs) > 0 {
		return nil
	}
	return d.Synapses[i]
}

// logins says what a move between Synapse's own login and MAS asks of people. It reports whether it has said how the users
// come to MAS.
func (c *comparison) logins(p *plan) bool {
	old, now := c.old.deployment, c.new.deployment
	was, is := ownLogin(old), ownLogin(now)
	switch {
	case was == nil && is != nil && len(old.MASs) > 0:
		p.first("MAS goes: every session that was begun at it ends, and a password that was set or changed there is not known to Synapse; give whoever has no other way in a new one (RUNBOOK.md, The first user)")
	case was == nil || len(now.MASs) == 0:
	case !now.Migrating():
		p.first("MAS begins without the users that Synapse has, and none of them can log in: write auth.migration: true, unless nobody has an account")
	default:
		c.intoMAS(p, was)
		return true
	}
	return false
}

// intoMAS is the order in which the users of a stack move from its Synapse to its MAS.
func (c *comparison) intoMAS(p *plan, was *deployment.Synapse) {
	p.first("take a backup (RUNBOOK.md, Backup); until MAS has been started, the spec with kind: synapse is the way back")
	if c.new.cluster() {
		p.first("move the users in the order of RUNBOOK.md, Migrate, before anything is applied: a Synapse that is started with MAS too early has all clients log out")
	} else {
		p.first("make MAS's database, while Synapse still runs: ", c.new.initJob())
	}
	command := []string{"docker", "compose", "--profile", "migration", "run", "--rm"}
	for _, s := range c.new.deployment.Services {
		if s.Program != component.MAS || !slices.Contains(s.Command(), "syn2mas") {
			continue
		}
		if c.new.cluster() {
			continue // RUNBOOK.md has the order, which is another one there
		}
		p.first("see whether all can be moved (exit code 0, see RUNBOOK.md, Migrate): ", shell.Words(append(command, s.Name)...))
		stop := []string{was.Name}
		for _, b := range c.old.deployment.Bridges {
			stop = append(stop, b.Name)
		}
		p.first("stop whatever writes: docker compose stop ", shell.Words(stop...))
		move := append(slices.Clone(command), s.Name)
		for _, word := range s.Command() {
			if word == "check" {
				word = "migrate"
			}
			move = append(move, word)
		}
		p.first("move the users, before MAS is started: ", shell.Words(move...))
	}
	p.then("log in with an old session and a new one; then auth.migrated: true takes the place of auth.migration")
}

// providers are those that users log in with, at MAS or at Synapse itself.
func providers(d *deployment.Deployment) []source.Value {
	var all []source.Value
	for _, m := range d.MASs {
		all = append(all, m.Config.At("upstream_oauth2", "providers").Items()...)
	}
	if s := ownLogin(d); s != nil {
		all = append(all, s.Config.At("oidc_providers").Items()...)
	}
	return all
}

// mail says what ends with the mail server.
func (c *comparison) mail(p *plan) {
	sends := func(d *deployment.Deployment) (recovers, notifies bool) {
		for _, m := range d.MASs {
			recovers = recovers || m.Config.At("email", "transport").Set() && m.Config.At("account", "password_recovery_enabled").True()
		}
		for _, s := range d.Synapses {
			notifies = notifies || s.Config.At("email").Len() > 0
		}
		return recovers, notifies
	}
	recovered, notified := sends(c.old.deployment)
	recovers, notifies := sends(c.new.deployment)
	if recovered && !recovers {
		p.then("whoever loses a password cannot make another one by mail any more: RUNBOOK.md, Users, has the command")
	}
	if notified && !notifies {
		p.then("nobody is told of new messages by mail any more")
	}
}

// invitations says what a registration by token waits for.
func (c *comparison) invitations(p *plan) {
	asks := func(d *deployment.Deployment) bool {
		return slices.ContainsFunc(d.MASs, func(m *deployment.MAS) bool {
			return m.Config.At("account", "registration_token_required").True() || m.Config.At("account", "password_registration_token_required").True()
		}) || slices.ContainsFunc(d.Synapses, func(s *deployment.Synapse) bool {
			return s.Config.At("registration_requires_token").True()
		})
	}
	if asks(c.new.deployment) && !asks(c.old.deployment) {
		p.then("give a token to whoever is to register: RUNBOOK.md, Users, has the command that makes one")
	}
}

// captcha says where its keys have to be for another host: MAS refuses an answer for any but its own.
func (c *comparison) captcha(p *plan) {
	is := captchaOf(c.new.deployment)
	if was := captchaOf(c.old.deployment); is[0] == "" || slices.Equal(was, is) {
		return
	}
	p.first("at ", is[0], ", let the site key ", is[1], " be good for the host ", is[2], ": MAS refuses an answer that is for another one, and nobody could make an account (its secret key is the secret auth.captcha_secret_key)")
}

// captchaOf is the service and the site key, and the host for which they have to be.
func captchaOf(d *deployment.Deployment) []string {
	for _, m := range d.MASs {
		if u, _, ok := m.Base(); ok {
			return []string{m.Config.At("captcha", "service").Str(), m.Config.At("captcha", "site_key").Str(), u.Hostname()}
		}
	}
	return []string{"", "", ""}
}
