(* The paper's theory inside of rotation: (7) holds of the squares of the vectors just where they do not turn,
   and a wide layer ends at (E58). *)
From Coq Require Import Reals Lra Psatz Lia.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq7 Eq11 EqE5 EqE9 EqE50 EqE51 EqE54 EqE56 EqE57 EqE58 EqE59.
From Companion Require Import Basics Limits Sums Rotation Turning.
Open Scope R_scope.

(* The variables of (7) of two vectors: (E9), where |p| is the length of the vector, x the part of rho along it,
   and y is zero since there is one output; and w = ||dy||^2 - dy.dy* as (8) says. *)
Definition squares (L : letters) : Prop := forall t,
  eqE9_1 L t /\ eqE9_2 L t /\ p L t ^ 2 = size_p L t /\ p L t * x L t = m L t /\ y L t = 0 /\
  w L t = dy2 L t - 4 * tau_h L * tau_y L / dx2 L * (s L * m L t).

(* The numbers of a task: positive constants, and s as (E5) says. *)
Definition task (L : letters) : Prop :=
  0 < dx2 L /\ 0 < tau_h L /\ 0 < tau_y L /\ 0 <= dy2_target L /\ eqE5_5 L.

(* s^2, solved for the targets' distance. *)
Lemma target_distance : forall L, task L -> dy2_target L = 4 * tau_h L * tau_y L / dx2 L * s L ^ 2.
Proof.
  intros L (Hdx & Hh & Hy & Hd & Es); unfold eqE5_5 in Es; rewrite Es.
  assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (tau_y L)) by now apply sqrt_lt_R0.
  replace ((sqrt (dy2_target L) * sqrt (dx2 L) / (2 * sqrt (tau_h L) * sqrt (tau_y L))) ^ 2)
    with (sqrt (dy2_target L) ^ 2 * sqrt (dx2 L) ^ 2 / (4 * sqrt (tau_h L) ^ 2 * sqrt (tau_y L) ^ 2))
    by (field; lra).
  rewrite !pow2_sqrt by lra; field; lra.
Qed.

(* C^2 - c^2 is four times |p|^2 |rho|^2 - m^2. *)
Lemma area : forall L t, eqE50_1 L t -> eqE51 L t ->
  C L ^ 2 = c L ^ 2 + 4 * (size_p L t * size_rho L t - m L t ^ 2).
Proof.
  intros L t Em (Ec & EC); assert (H := root_is L t Em EC).
  assert (E : C L ^ 2 + 4 * m L t ^ 2 = (size_p L t + size_rho L t) ^ 2).
  { rewrite <- H; symmetry; apply pow2_sqrt; generalize (pow2_ge_0 (C L)) (pow2_ge_0 (m L t)); lra. }
  unfold eqE51_1 in Ec; fold (size_p L t) (size_rho L t) in Ec; rewrite Ec.
  replace (C L ^ 2) with ((size_p L t + size_rho L t) ^ 2 - 4 * m L t ^ 2) by lra; ring.
Qed.

(* So C = |c| says that this is zero. *)
Lemma no_area : forall L t, eqE50_1 L t -> eqE51 L t ->
  (C L = Rabs (c L) <-> size_p L t * size_rho L t = m L t ^ 2).
Proof.
  intros L t Em E51; assert (H := area L t Em E51); destruct E51 as (_ & EC); unfold eqE51_2 in EC.
  assert (HC : 0 <= C L) by (rewrite EC; apply sqrt_pos).
  split.
  - intros E; assert (Hsquare := Rsqr_abs (c L)); unfold Rsqr in Hsquare; rewrite <- E in Hsquare; nra.
  - intros E; rewrite <- (Rabs_right (C L)) by lra; apply Rsqr_eq_abs_0; unfold Rsqr; lra.
Qed.

(* C = |c| where rho is along p, and nowhere else: there alone the representations do not turn.
   Checks (E50) and (E51). *)
Theorem parallel_iff : forall L t, eqE50_1 L t -> eqE51 L t -> 0 < size_p L t ->
  (C L = Rabs (c L) <-> forall i, (i < n_h L)%nat -> size_p L t * rho_vec L t i = m L t * p_vec L t i).
Proof.
  intros L t Em E51 Hp; rewrite (no_area L t Em E51); unfold eqE50_1 in Em; fold (along L t) in Em.
  assert (E := sum_mixed (n_h L) (p_vec L t) (rho_vec L t) (- m L t) (size_p L t) (- m L t) (size_p L t)).
  fold (size_p L t) (along L t) (size_rho L t) in E; rewrite <- Em in E.
  split.
  - intros H i Hi.
    assert (H0 := sum_of_squares_zero (n_h L) (fun k => - m L t * p_vec L t k + size_p L t * rho_vec L t k)).
    simpl in H0; rewrite E in H0; specialize (H0 ltac:(nra) i Hi); lra.
  - intros H; rewrite (sum_as _ _ (fun k => 0 * p_vec L t k)), sum_scaled in E.
    + apply (Rmult_eq_reg_l (size_p L t)); lra.
    + intros k Hk; rewrite (H k Hk); ring.
Qed.

(* The squares of vectors that move by (E50) satisfy (7) at a moment, before all is learned, if and only if
   C = |c|: (7) is the motion without rotation. Checks (7), (E5), (E9), (E50) and (E51). *)
Theorem eq7_is_without_rotation : forall L t, task L -> squares L -> locally t (fun t' => eqE50_1 L t') ->
  eqE50 L t -> eqE51 L t -> 0 < size_p L t -> m L t <> s L -> (eq7 L t <-> C L = Rabs (c L)).
Proof.
  intros L t given read Hnear (Em & Hp & Hr) E51 Hpos Hm; rewrite (no_area L t Em E51).
  assert (Htarget := target_distance L given); destruct given as (Hdx & Hh & Hy & _).
  destruct (products_move L t Hp Hr) as (HP & _ & HM).
  assert (Hlearned : is_derive (m L) t ((s L - m L t) * (size_p L t + size_rho L t))).
  { apply (is_derive_ext_loc (along L)); [ | exact HM].
    revert Hnear; apply filter_imp; intros t' E; symmetry; exact E. }
  unfold eqE50_1 in Em; fold (along L t) in Em; rewrite <- Em in HP.
  pose (k := 4 * tau_h L * tau_y L / dx2 L).
  assert (Edh : forall t, dh2 L t = 2 * tau_y L * size_p L t).
  { intros t'; destruct (read t') as (E & _ & E' & _); unfold eqE9_1 in E; rewrite E, E'; ring. }
  assert (Edy : forall t, dy2 L t = k * m L t ^ 2).
  { intros t'; destruct (read t') as (_ & E & _ & E' & E0 & _); unfold eqE9_2 in E.
    rewrite E, E0, <- E'; unfold k; field; lra. }
  assert (Ew : forall t, w L t = k * (m L t ^ 2 - s L * m L t)).
  { intros t'; destruct (read t') as (_ & _ & _ & _ & _ & E); rewrite E, Edy; unfold k; ring. }
  assert (Hk : 0 < k) by (unfold k; apply Rdiv_lt_0_compat; nra).
  assert (Edx : dx2 L = 4 * tau_h L * tau_y L / k) by (unfold k; field; lra).
  assert (Hdh2 : is_derive (dh2 L) t (4 * tau_y L * (s L - m L t) * m L t)).
  { eapply rate_as; [ | intros t'; symmetry; apply Edh | ].
    - auto_derive; [derivable | reflexivity].
    - known_rates; ring. }
  assert (Hdy2 : is_derive (dy2 L) t (2 * k * m L t * (s L - m L t) * (size_p L t + size_rho L t))).
  { eapply rate_as; [ | intros t'; symmetry; apply Edy | ].
    - auto_derive; [derivable | reflexivity].
    - known_rates; ring. }
  assert (Hw : is_derive (w L) t (k * (2 * m L t - s L) * (s L - m L t) * (size_p L t + size_rho L t))).
  { eapply rate_as; [ | intros t'; symmetry; apply Ew | ].
    - auto_derive; [derivable | reflexivity].
    - known_rates; ring. }
  fold k in Htarget; unfold eq7, eq7_1, eq7_2, eq7_3.
  rewrite (Edh t), (Edy t), (Ew t), Htarget, Edx.
  rewrite (is_derive_unique _ _ _ Hdh2), (is_derive_unique _ _ _ Hdy2), (is_derive_unique _ _ _ Hw).
  split.
  - intros (_ & (_ & E2) & (_ & E3)).
    pose (X := size_p L t * size_rho L t - m L t ^ 2).
    assert (H2 : m L t * X = 0).
    { apply Rminus_diag_eq in E2.
      apply (Rmult_eq_reg_l (2 * k * (s L - m L t) / size_p L t)).
      - rewrite Rmult_0_r, <- E2; unfold X; field; lra.
      - unfold Rdiv; repeat apply Rmult_integral_contrapositive_currified; try lra; apply Rinv_neq_0_compat; lra. }
    assert (H3 : (2 * m L t - s L) * X = 0).
    { apply Rminus_diag_eq in E3.
      apply (Rmult_eq_reg_l (k * (s L - m L t) / size_p L t)).
      - rewrite Rmult_0_r, <- E3; unfold X; field; lra.
      - unfold Rdiv; repeat apply Rmult_integral_contrapositive_currified; try lra; apply Rinv_neq_0_compat; lra. }
    assert (H0 : (m L t - s L) * X = 0) by lra.
    apply Rmult_integral in H0; destruct H0 as [H0 | H0]; unfold X in *; lra.
  - intros EX; assert (ER : size_rho L t = m L t ^ 2 / size_p L t) by (rewrite <- EX; field; lra).
    split; [ | split]; (split; [eexists; eassumption | ]).
    + field; lra.
    + rewrite ER; field; lra.
    + rewrite ER; field; lra.
Qed.
