package v1alpha1

//go:generate go run ../../internal/tablegen/code
//go:generate go tool controller-gen object paths=.
//go:generate go tool controller-gen crd paths=. output:crd:dir=../../config/crd
//go:generate go tool controller-gen rbac:roleName=tcpprobe-manager paths=../../controllers/... output:rbac:dir=../../config/rbac
//go:generate go -C ../../build run ./chart
