package main

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// peak is the largest number of probe pods at one time.
type peak struct {
	Total, OfOneTCPProbe, OnOneNode int
	In10Seconds                     int // made
}

// podCounter counts probe pods that have not ended.
type podCounter struct {
	mu    sync.Mutex
	alive map[types.UID]*corev1.Pod
	made  map[types.UID]time.Time
	peak  peak
}

func newPodCounter() *podCounter {
	return &podCounter{alive: make(map[types.UID]*corev1.Pod), made: make(map[types.UID]time.Time)}
}

func (c *podCounter) see(event watch.EventType, pod *corev1.Pod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made[pod.UID] = pod.CreationTimestamp.Time
	if event == watch.Deleted || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		delete(c.alive, pod.UID)
		return
	}
	if _, known := c.alive[pod.UID]; known {
		return
	}
	c.alive[pod.UID] = pod
	ofProbe, onNode := 0, 0
	for _, other := range c.alive {
		if other.Labels["tcpprobe.dev/probe-uid"] == pod.Labels["tcpprobe.dev/probe-uid"] {
			ofProbe++
		}
		if other.Annotations["tcpprobe.dev/source"] == pod.Annotations["tcpprobe.dev/source"] {
			onNode++
		}
	}
	c.peak.Total = max(c.peak.Total, len(c.alive))
	c.peak.OfOneTCPProbe, c.peak.OnOneNode = max(c.peak.OfOneTCPProbe, ofProbe), max(c.peak.OnOneNode, onNode)
}

// now is how many pods there are, and how many were created.
func (c *podCounter) now() (alive, made int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.alive), len(c.made)
}

// result adds how fast pods were created. The API server's times have whole seconds.
func (c *podCounter) result() peak {
	c.mu.Lock()
	defer c.mu.Unlock()
	var times []time.Time
	for _, at := range c.made {
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	result, first := c.peak, 0
	for i, at := range times {
		for at.Sub(times[first]) >= 10*time.Second {
			first++
		}
		result.In10Seconds = max(result.In10Seconds, i-first+1)
	}
	return result
}
