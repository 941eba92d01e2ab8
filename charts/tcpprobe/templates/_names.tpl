{{/* The image of the manager and of the probe pods: one, since the admission policy compares them as they are written. */}}
{{- define "tcpprobe.image" -}}
{{- $image := .Values.image -}}
{{- $how := "image.repository is not set, and there is no default: push the image to a registry of yours (docs/install.md says how) and add --set image.repository=REGISTRY/tcpprobe --set image.tag=TAG" -}}
{{- $repository := required $how $image.repository -}}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else -}}
{{ $repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The Secret with the certificate that metrics are served with, or nothing: the manager makes one for itself. */}}
{{- define "tcpprobe.metricsSecret" -}}
{{- if .Values.metricsCertificateSecret -}}
{{ .Values.metricsCertificateSecret }}
{{- else if .Values.metricsCertificateIssuer.name -}}
manager-metrics-certificate
{{- end -}}
{{- end -}}

{{/* The Secret by which Prometheus verifies that certificate. */}}
{{- define "tcpprobe.verifiedSecret" -}}
{{- $how := printf "monitoring.enabled needs a certificate that Prometheus can verify: set metricsCertificateIssuer.name to an issuer of cert-manager, or metricsCertificateSecret to a Secret in namespace %s with tls.crt, tls.key and ca.crt, for the name manager-metrics.%s.svc" .Release.Namespace .Release.Namespace -}}
{{ required $how (include "tcpprobe.metricsSecret" .) }}
{{- end -}}

{{- define "tcpprobe.probeNamespace" -}}
{{- if eq .Values.probeNamespace .Release.Namespace -}}
{{- fail (printf "probeNamespace is %s, the namespace of this release: probe pods need a namespace of their own, because of their privileges; set another" .Values.probeNamespace) -}}
{{- end -}}
{{ .Values.probeNamespace }}
{{- end -}}

{{/* The tolerations of probe pods as the admission policy compares them: key:effect or key=value:effect. */}}
{{- define "tcpprobe.tolerations" -}}
{{- range $i, $t := .Values.prober.tolerations -}}
{{- if $i }},{{ end -}}
{{ $t.key | default "" }}{{ if ne ($t.operator | default "Equal") "Exists" }}={{ $t.value | default "" }}{{ end }}:{{ $t.effect }}
{{- end -}}
{{- end -}}
