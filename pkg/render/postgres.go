package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// postgresSettings are those that the stack needs and, in the place of these or behind them, those of the spec.
func (st *Stack) postgresSettings(s *spec.Spec) []Setting {
	var all []Setting
	if n := component.ConnectionsFor(st.Connections()); n > component.MaxConnections {
		all = append(all, Setting{"max_connections", fmt.Sprint(n), fmt.Sprintf("The pools of all programs open %d connections together, and some are for psql and the backup.", st.Connections())})
	}
	for _, key := range slices.Sorted(maps.Keys(s.Database.Extra)) {
		_, name := source.Operator(key)
		val := s.Database.Extra[key]
		if list, ok := val.([]any); ok { // a list of names, such as shared_preload_libraries
			texts := make([]string, len(list))
			for i, item := range list {
				texts[i] = fmt.Sprint(item)
			}
			val = strings.Join(texts, ",")
		}
		set := Setting{Name: name, Value: fmt.Sprint(val)}
		same := func(o Setting) bool { return strings.EqualFold(o.Name, name) }
		if i := slices.IndexFunc(all, same); i >= 0 && all[i].Value == set.Value {
			continue
		}
		all = append(slices.DeleteFunc(all, same), set)
	}
	return all
}
