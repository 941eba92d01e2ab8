package segment

import "fmt"

// Meaning returns the ICMP error's text with type and code (RFC 792, RFC 1812 section 5.2.7, RFC 4443).
func (u *Unreachable) Meaning() string {
	table := meanings4
	if u.From.Is6() {
		table = meanings6
	}
	words, known := table[[2]uint8{u.Type, u.Code}]
	if !known {
		words = "an ICMP error"
	}
	return fmt.Sprintf("%s (ICMP type %d, code %d)", words, u.Type, u.Code)
}

var meanings4 = map[[2]uint8]string{
	{3, 0}: "network unreachable", {3, 1}: "host unreachable", {3, 2}: "protocol unreachable",
	{3, 3}: "port unreachable", {3, 4}: "fragmentation needed", {3, 9}: "network administratively prohibited",
	{3, 10}: "host administratively prohibited", {3, 13}: "communication administratively prohibited",
	{11, 0}: "time to live exceeded",
}

var meanings6 = map[[2]uint8]string{
	{1, 0}: "no route to the destination", {1, 1}: "communication administratively prohibited",
	{1, 2}: "beyond the scope of the source address", {1, 3}: "address unreachable", {1, 4}: "port unreachable",
	{1, 5}: "source address failed a policy", {1, 6}: "route rejected", {2, 0}: "packet too big",
	{3, 0}: "hop limit exceeded",
}
