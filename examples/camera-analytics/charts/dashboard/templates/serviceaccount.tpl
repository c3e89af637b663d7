apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "dashboard.name" . }}
  labels: {{- include "dashboard.labels" . | nindent 4 }}
automountServiceAccountToken: false
