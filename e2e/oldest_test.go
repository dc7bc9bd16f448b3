package e2e

import "testing"

// The oldest Synapse that stackgen renders for works as well, and a bridge that is added to a stack that
// has lived gets its database.
func TestOldestSynapse(t *testing.T) {
	spec := philApp(t) + "\nsynapse: {version: " + oldestSynapse + "}\n"
	s := newStack(t, replace(t, spec, "\n  meta: {}", ""))
	s.up(t)
	s.synapseVersion(t, oldestSynapse)
	t.Run("synapse", func(t *testing.T) { s.testSynapse(t) })
	t.Run("routes", func(t *testing.T) { s.testRoutes(t) })
	t.Run("users", func(t *testing.T) { s.testUsers(t) })
	t.Run("one more bridge", func(t *testing.T) {
		before := s.containers(t)
		s.render(t, spec)
		s.up(t)
		after := s.containers(t)
		for name, c := range after {
			// Synapse reads the new registration, db-init the new password.
			changed := name == "meta" || name == "synapse" || name == "db-init"
			if recreated := before[name].ID != c.ID; recreated != changed {
				t.Errorf("%s: recreated %v", name, recreated)
			}
		}
		s.testDatabases(t)
	})
	t.Run("appservices", func(t *testing.T) { s.testAppservices(t) })
	t.Run("encryption", func(t *testing.T) { s.testEncryption(t) })
}
