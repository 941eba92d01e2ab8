package report

// NextHop counts the flows of a result that left by one next hop, of those with a verdict.
type NextHop struct {
	Device  string `json:"device"`
	Address string `json:"address"` // on the link: the target itself
	Pass    int    `json:"pass"`
	Fail    int    `json:"fail"`
}
