# What EFA needs: a group whose members may send each other anything, and a placement group that keeps them close.

locals {
  efa_pools = { for name, pool in var.pools : name => pool if pool.efa_interfaces > 0 }

  cluster_security_group = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

resource "aws_placement_group" "efa" {
  for_each = local.efa_pools

  name     = "${var.name}-${each.key}"
  strategy = "cluster"
}

resource "aws_security_group" "efa" {
  #checkov:skip=CKV2_AWS_5:It is attached by the network interfaces of the launch templates.
  for_each = length(local.efa_pools) > 0 ? toset(["efa"]) : toset([])

  name        = "${var.name}-efa"
  description = "Nodes that train together send each other anything, over EFA"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-efa" }
}

resource "aws_vpc_security_group_ingress_rule" "efa" {
  for_each = aws_security_group.efa

  description                  = "From the other nodes"
  security_group_id            = each.value.id
  referenced_security_group_id = each.value.id
  ip_protocol                  = "-1"
}

# EFA passes over no router: it wants a rule that names the group itself, an open egress rule does not do.
resource "aws_vpc_security_group_egress_rule" "efa" {
  for_each = aws_security_group.efa

  description                  = "To the other nodes"
  security_group_id            = each.value.id
  referenced_security_group_id = each.value.id
  ip_protocol                  = "-1"
}
