output "repository_url" {
  description = "Address of the repository; an image is `<address>:<version>-cpu` or `<address>:<version>-cuda`."
  value       = aws_ecr_repository.this.repository_url
}
