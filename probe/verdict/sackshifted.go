package verdict

// SACKShifted is added to a result where a device on the target's paths rewrites sequence numbers but not those in SACK
// options.
const SACKShifted = "; a device on the path rewrites sequence numbers but not those in SACK options: what was tested " +
	"ends there, since the numbers beyond it are others, and real connections recover from losses slowly"
