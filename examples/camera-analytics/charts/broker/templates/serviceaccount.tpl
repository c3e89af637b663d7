apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "broker.name" . }}
  labels: {{- include "broker.labels" . | nindent 4 }}
automountServiceAccountToken: false
