package adopt

import (
	"path"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// withRoot is what reads a path of the machine that lies beside the directory.
const withRoot = "on the machine where the stack runs, import it with --root /"

// reached says how a file that a service reads comes to be seen: by --root where the machine has it, or else by a copy of it.
func reached(s *deployment.Service, inside string) string {
	if m := s.MountAt(inside); m != nil && m.Host == "" && path.IsAbs(m.Source) {
		return withRoot
	}
	return "import where it can be seen, or have a compose file of your own mount a copy of it (docker compose cp, -f)"
}

// unseen notes the programs whose configuration was not seen: they are kept as they are, or begin with the rendered one.
func (r *reader) unseen() {
	for _, s := range r.d.Services {
		if s.Unread != "" && s.Absent.Why == "" && s.Program != component.Synapse && (s.Program != component.Unknown || s.Image.Former() != nil) {
			r.note(s.Site(""), s.Name+" is kept as it is, because its configuration was not seen: "+s.Unread+"; "+reached(s, s.ConfigPath), "compose")
		}
	}
	for _, e := range r.d.Elements {
		if e.Hidden != "" {
			file := component.Of(component.Element).Config.File
			r.note(e.Site(""), "what the configuration of "+e.Name+" says is not taken over, because it was not seen: "+e.Hidden+"; "+reached(e.Service, file), "element")
		}
	}
}

// loginsUnseen refuses a stack whose logins are with a MAS of which nothing is known: in a new one nobody could log in.
func loginsUnseen(d *deployment.Deployment) []finding.Finding {
	syn := d.Synapses[0]
	if !syn.Delegates() && !syn.Msc3861().At("enabled").True() || len(d.MASs) > 0 {
		return nil
	}
	sites := []source.Site{syn.Site("Synapse leaves logins to it")}
	for _, s := range d.Services {
		if s.Program == component.MAS && s.Unread != "" {
			sites = append([]source.Site{s.Site("MAS")}, sites...)
			return refuse("the configuration of MAS was not seen, and Synapse leaves all logins to it: "+s.Unread, fetched(d, s), sites...)
		}
	}
	return refuse("Synapse leaves all logins to a MAS that is no service here; another one would know nobody", "name all compose files of the stack with -f, also that of MAS", sites...)
}
