//go:build guest

package guest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// guardProofs are tests of the guard that must pass on every kernel, for each address family and each way to attach it
// there: a crafted connection lives and the kernel stays silent, with three capabilities, on every kind of device.
var guardProofs = []string{"TestGuardKeepsTheKernelSilent", "TestThreeCapabilitiesSuffice", "TestCloseLeavesNothing",
	"TestKernelResetsAgainAfterRemoveAndAfterClose", "TestDeviceWithoutLinkHeader", "TestLoopback",
	"TestHeadersOutsideTheLinearBufferAreFound"}

// guardContrasts must pass for each family: without the guard the kernel resets, and what is no crafted connection's
// is left alone.
var guardContrasts = []string{"TestWithoutGuardTheKernelResetsTheFlow", "TestTapDeliversNothingElse",
	"TestTapDeliversICMPErrorsAboutFlows"}

// lacking are the networks of the lab with devices that this machine's kernel may not support.
var lacking = []string{"geneve", "wireguard", "vlan", "bond", "ipvlan"}

// networks are those of the lab in which the engine is tried on this kernel.
func (k kernel) networks() []string {
	all := []string{"switch", "loopback"}
	if k.name == "6.12" {
		all = append(all, lacking...)
	}
	return all
}

// testsPatience is long enough for a busy machine. On an idle one the tests take a minute or two.
const testsPatience = 25 * time.Minute

// TestGuard shows that the guard works on each kernel, by its own tests, and that the engine finds there, with the
// guard, that a switch delivers segments at sequence 0 or drops them, by the tests of the lab's command. One kernel has
// devices that this machine may lack: over those the verdicts are the same.
func TestGuard(t *testing.T) {
	t.Parallel()
	for _, k := range kernels {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			log := k.runTests(t, map[string]string{
				"probe/guard": ".",
				"lab/labcmd":  "TestVerdictInEveryTopology/^(" + strings.Join(k.networks(), "|") + ")$",
			})
			t.Run("its own tests", func(t *testing.T) { expectPassed(t, log, k.guardTests()...) })
			for _, network := range k.networks() {
				t.Run("verdict over "+network, func(t *testing.T) {
					expectPassed(t, log, "TestVerdictInEveryTopology/"+network)
				})
			}
		})
	}
}

// guardTests are those of the guard's tests that must not be skipped on this kernel.
func (k kernel) guardTests() []string {
	wanted := []string{"TestProgramsBehindTheGuardStillSeeForeignTraffic", "TestMissingCapabilityIsNamed"}
	for _, family := range []string{"IPv4", "IPv6"} {
		for _, proof := range guardContrasts {
			wanted = append(wanted, proof+"/"+family)
		}
		for _, mode := range k.modes {
			for _, proof := range guardProofs {
				wanted = append(wanted, proof+"/"+family+"/"+mode)
			}
		}
	}
	if !slices.Contains(k.modes, "tcx") {
		wanted = append(wanted, "TestTCXIsRefusedInWordsWhereTheKernelHasNone")
	}
	return wanted
}

// expectPassed fails unless each test has passed: one that was skipped shows nothing.
func expectPassed(t *testing.T, log string, tests ...string) {
	t.Helper()
	for _, name := range tests {
		if !strings.Contains(log, "--- PASS: "+name+" (") {
			t.Errorf("%s has not passed", name)
		}
	}
}
