mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "jepa-test"
}

run "registry" {
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "a tag can come to mean another image"
  }

  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "images are not scanned when they are pushed"
  }

  assert {
    condition     = aws_ecr_repository.this.encryption_configuration[0].encryption_type == "KMS" && aws_ecr_repository.this.encryption_configuration[0].kms_key == aws_kms_key.images.arn
    error_message = "images are not encrypted by the registry's key"
  }

  assert {
    condition     = anytrue([for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.countType == "imageCountMoreThan" && rule.selection.countNumber == 50])
    error_message = "images are kept for ever"
  }
}

run "refused" {
  command = plan

  variables {
    name        = "Jepa"
    kept_images = 1
  }

  expect_failures = [var.name, var.kept_images]
}
