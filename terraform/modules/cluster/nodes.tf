# Managed node groups, one for each pool. What may run on a node is decided by pods' own roles, so a node's role can do
# next to nothing, and a pod cannot take it: the metadata service answers no container.

resource "aws_iam_role" "node" {
  name = "${var.name}-node"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"])

  role       = aws_iam_role.node.name
  policy_arn = "${local.policies}/${each.value}"
}

resource "aws_launch_template" "pool" {
  for_each = var.pools

  name                   = "${var.name}-${each.key}"
  update_default_version = true
  # With EFA the interfaces below name the groups, and naming them twice is refused.
  vpc_security_group_ids = each.value.efa_interfaces > 0 ? null : [local.cluster_security_group]

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  dynamic "network_interfaces" {
    for_each = range(each.value.efa_interfaces)

    content {
      device_index          = network_interfaces.value == 0 ? 0 : 1
      network_card_index    = network_interfaces.value
      interface_type        = network_interfaces.value == 0 ? "efa" : "efa-only"
      security_groups       = [local.cluster_security_group, aws_security_group.efa["efa"].id]
      delete_on_termination = true
    }
  }

  dynamic "placement" {
    for_each = each.value.efa_interfaces > 0 ? [1] : []

    content {
      group_name = aws_placement_group.efa[each.key].name
    }
  }

  dynamic "capacity_reservation_specification" {
    for_each = each.value.capacity_reservation_id == null ? [] : [1]

    content {
      capacity_reservation_target {
        capacity_reservation_id = each.value.capacity_reservation_id
      }
    }
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "volume", "network-interface"]

    content {
      resource_type = tag_specifications.value
      tags          = merge(data.aws_default_tags.current.tags, { Name = "${var.name}-${each.key}" })
    }
  }
}

# Default tags reach what Terraform makes, not what a node group makes; the budget counts by tag.
data "aws_default_tags" "current" {}

resource "aws_eks_node_group" "pool" {
  for_each = var.pools

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = each.value.one_zone || each.value.efa_interfaces > 0 ? [var.subnet_ids[0]] : var.subnet_ids
  instance_types  = each.value.instance_types
  capacity_type   = each.value.spot ? "SPOT" : "ON_DEMAND"
  ami_type        = each.value.gpus > 0 ? "AL2023_x86_64_NVIDIA" : "AL2023_x86_64_STANDARD"

  labels = {
    "jepa-foundry/pool" = each.key
    "jepa-foundry/gpu"  = each.value.gpus > 0 ? "true" : "false"
  }

  launch_template {
    id      = aws_launch_template.pool[each.key].id
    version = aws_launch_template.pool[each.key].latest_version
  }

  scaling_config {
    min_size     = each.value.minimum
    max_size     = each.value.maximum
    desired_size = each.value.minimum
  }

  update_config {
    max_unavailable = 1
  }

  dynamic "taint" {
    for_each = each.key == "system" ? [] : [each.key]

    content {
      key    = "jepa-foundry/pool"
      value  = taint.value
      effect = "NO_SCHEDULE"
    }
  }

  dynamic "taint" {
    for_each = each.value.gpus > 0 ? ["present"] : []

    content {
      key    = "nvidia.com/gpu"
      value  = taint.value
      effect = "NO_SCHEDULE"
    }
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size] # the autoscaler's
  }

  depends_on = [aws_iam_role_policy_attachment.node, aws_eks_addon.before_nodes]
}
