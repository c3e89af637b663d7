apiVersion: v1
kind: Service
metadata:
  name: {{ include "dashboard.name" . }}
  labels: {{- include "dashboard.labels" . | nindent 4 }}
spec:
  selector: {{- include "dashboard.selector" . | nindent 4 }}
  ports:
    - name: http
      port: 80
      targetPort: http
