package deployment

import "net/netip"

// Clashes reports whether two ports cannot be taken at the same time.
func (p Port) Clashes(o Port) bool {
	return p.Protocol == o.Protocol && p.First <= o.Last && o.First <= p.Last && (everywhere(p.IP) || everywhere(o.IP) || p.IP == o.IP)
}

func everywhere(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err != nil || a.IsUnspecified()
}
