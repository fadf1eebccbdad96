(* Where rotation comes from: the paper's flow (17) of two matrices, with one output, is the motion (E50) of
   two vectors. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq8 Eq17 EqE50 Basics Sums Rotation.
Open Scope R_scope.

(* One output: the decoder is a row. dh = D_h dx is that of (8), p = dh/sqrt(2 tau_y), rho the row times
   ||dx||/sqrt(2 tau_h), and s the target in the same units; m = p.rho, the first line of (E50). *)
Definition one_output (L : letters) : Prop :=
  n_y L = 1%nat /\ 0 < tau_h L /\ 0 < tau_y L /\ 0 < dx2 L /\
  dx2 L = sum_below (n_x L) (fun k => dx_vec L k * dx_vec L k) /\
  s L = sqrt (dx2 L / (2 * tau_h L)) * dy_target_vec L 0 / sqrt (2 * tau_y L) /\
  forall t, eq8_2 L t /\ eqE50_1 L t /\
    (forall k, (k < n_h L)%nat -> p_vec L t k = dh_vec L t k / sqrt (2 * tau_y L)) /\
    (forall k, (k < n_h L)%nat -> rho_vec L t k = sqrt (dx2 L / (2 * tau_h L)) * D_y L t 0%nat k).

Section Rows.

Variable L : letters.
Variable t : R.
Hypothesis one : one_output L.

Local Definition a : R := sqrt (dx2 L / (2 * tau_h L)).
Local Definition b : R := sqrt (2 * tau_y L).

(* The squares of the two factors. *)
Lemma factors : 0 < a /\ 0 < b /\ a ^ 2 = dx2 L / (2 * tau_h L) /\ b ^ 2 = 2 * tau_y L.
Proof.
  destruct one as (_ & Hh & Hy & Hdx & _); unfold a, b.
  assert (0 < dx2 L / (2 * tau_h L)) by (apply Rdiv_lt_0_compat; lra).
  repeat split; try (apply sqrt_lt_R0; lra); apply pow2_sqrt; lra.
Qed.

(* The output difference D_y D_h dx is m in other units. *)
Lemma output :
  sum_below (n_h L) (fun k => D_y L t 0 k * sum_below (n_x L) (fun j => D_h L t k j * dx_vec L j))
  = b / a * m L t.
Proof.
  destruct factors as (Ha & Hb & _), one as (_ & _ & _ & _ & _ & _ & H).
  destruct (H t) as (E8 & Em & Ep & Er); rewrite Em; rewrite <- sum_scaled; apply sum_as; intros k Hk.
  rewrite (Ep k Hk), (Er k Hk), (E8 k Hk); fold a; fold b; field; lra.
Qed.

Hypothesis E17 : eq17_2 L t /\ eq17_3 L t.

(* The difference of the representations moves along the row, *)
Lemma dh_moves : forall k, (k < n_h L)%nat ->
  is_derive (fun t => dh_vec L t k) t (b * ((s L - m L t) * rho_vec L t k)).
Proof.
  intros k Hk; destruct E17 as ((Hex & HD) & _); assert (Eout := output).
  destruct factors as (Ha & Hb & Ha2 & _), one as (Ey & Hh & Hy & Hdx & Edx & Es & H).
  apply (is_derive_ext (fun t => sum_below (n_x L) (fun j => D_h L t k j * dx_vec L j))).
  { intros t'; symmetry; destruct (H t') as (E8 & _); exact (E8 k Hk). }
  destruct (H t) as (_ & _ & _ & Er); rewrite (Er k Hk), Es; fold a; fold b.
  pose (speed := 1 / (2 * tau_h L) * D_y L t 0%nat k * (dy_target_vec L 0 - b / a * m L t)).
  replace (b * ((a * dy_target_vec L 0 / b - m L t) * (a * D_y L t 0%nat k)))
    with (sum_below (n_x L) (fun j => speed * (dx_vec L j * dx_vec L j))).
  - apply (sum_rate (n_x L) (fun t j => D_h L t k j * dx_vec L j)); intros j Hj.
    assert (HDj : is_derive (fun t => D_h L t k j) t (speed * dx_vec L j)).
    { apply rate; split; [now apply Hex | ].
      transitivity (eq17_2_right L t k j); [exact (HD k Hk j Hj) | ].
      unfold eq17_2_right; rewrite Ey; simpl; rewrite Eout; unfold speed; field; lra. }
    apply (rate_as _ _ _ _ _ (is_derive_scal_l _ t _ (dx_vec L j) HDj)); [reflexivity | ].
    unfold scal; simpl; unfold mult; simpl; ring.
  - rewrite sum_scaled, <- Edx; unfold speed.
    replace (dx2 L) with (a ^ 2 * (2 * tau_h L)) by (rewrite Ha2; field; lra); field; lra.
Qed.

(* and the row along the difference of the representations. *)
Lemma row_moves : forall k, (k < n_h L)%nat ->
  is_derive (fun t => D_y L t 0%nat k) t ((s L - m L t) * p_vec L t k / a).
Proof.
  intros k Hk; destruct E17 as (_ & (Hex & HD)); assert (Eout := output).
  destruct factors as (Ha & Hb & _ & Hb2), one as (Ey & Hh & Hy & Hdx & Edx & Es & H).
  destruct (H t) as (E8 & _ & Ep & _); rewrite (Ep k Hk), (E8 k Hk), Es; fold a; fold b.
  apply rate; split; [apply Hex; [lia | exact Hk] | ].
  transitivity (eq17_3_right L t 0%nat k); [exact (HD 0%nat ltac:(lia) k Hk) | ].
  unfold eq17_3_right; rewrite Eout.
  rewrite (sum_as _ (fun k1 => dx_vec L k1 * D_h L t k k1) (fun k1 => D_h L t k k1 * dx_vec L k1))
    by (intros; ring).
  replace (1 / (2 * tau_y L)) with (/ b ^ 2) by (rewrite Hb2; field; lra); field; lra.
Qed.

(* So the scaled vectors move by (E50). *)
Lemma rows_move : eqE50 L t.
Proof.
  destruct factors as (Ha & Hb & _); assert (H := one).
  destruct H as (_ & _ & _ & _ & _ & _ & H).
  assert (Hp : forall k, (k < n_h L)%nat ->
    is_derive (fun t => p_vec L t k) t ((s L - m L t) * rho_vec L t k)).
  { intros k Hk.
    apply (rate_as _ (fun t => / b * dh_vec L t k) t _ (/ b * (b * ((s L - m L t) * rho_vec L t k)))).
    - apply (is_derive_scal (fun t => dh_vec L t k)), dh_moves, Hk.
    - intros t'; destruct (H t') as (_ & _ & Ep & _); rewrite (Ep k Hk); fold b; field; lra.
    - field; lra. }
  assert (Hr : forall k, (k < n_h L)%nat ->
    is_derive (fun t => rho_vec L t k) t ((s L - m L t) * p_vec L t k)).
  { intros k Hk.
    apply (rate_as _ (fun t => a * D_y L t 0%nat k) t _ (a * ((s L - m L t) * p_vec L t k / a))).
    - apply (is_derive_scal (fun t => D_y L t 0%nat k)), row_moves, Hk.
    - intros t'; destruct (H t') as (_ & _ & _ & Er); rewrite (Er k Hk); reflexivity.
    - field; lra. }
  split; [apply (H t) | split; split; intros k Hk].
  - eexists; now apply Hp.
  - now apply is_derive_unique, Hp.
  - eexists; now apply Hr.
  - now apply is_derive_unique, Hr.
Qed.

End Rows.

(* With one output, gradient flow on the two Jacobians, the last two lines of (17), moves the scaled vectors
   of hidden space by (E50): nothing is left out. Checks (8), (17) and (E50). *)
Theorem eq17_gives_eqE50 : forall L t, one_output L -> eq17_2 L t -> eq17_3 L t -> eqE50 L t.
Proof. intros L t one H2 H3; apply rows_move; auto. Qed.
