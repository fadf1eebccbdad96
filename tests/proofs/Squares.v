(* The paper's theory inside of rotation: (7) holds of the squares of the vectors just where they do not turn,
   and a wide layer ends at (E58). *)
From Coq Require Import Reals Lra Psatz Lia.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq7 Eq11 EqE5 EqE9 EqE50 EqE51 EqE54 EqE56 EqE57 EqE58 EqE59.
From Companion Require Import Basics Limits Sums Rotation Turning.
Open Scope R_scope.

(* The variables of (7) of two vectors: (E9), where p is the length of the one, x the part of rho along it,
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
  intros L (Hdx & Hh & Hy & Hd & Es); unfold eqE5_5 in Es.
  rewrite Es, s_squared by lra; field; lra.
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
      - repeat apply Rmult_integral_contrapositive_currified; try lra; apply Rinv_neq_0_compat; lra. }
    assert (H3 : (2 * m L t - s L) * X = 0).
    { apply Rminus_diag_eq in E3.
      apply (Rmult_eq_reg_l (k * (s L - m L t) / size_p L t)).
      - rewrite Rmult_0_r, <- E3; unfold X; field; lra.
      - repeat apply Rmult_integral_contrapositive_currified; try lra; apply Rinv_neq_0_compat; lra. }
    assert (H0 : (m L t - s L) * X = 0) by lra.
    apply Rmult_integral in H0; destruct H0 as [H0 | H0]; unfold X in *; lra.
  - intros EX; assert (ER : size_rho L t = m L t ^ 2 / size_p L t) by (rewrite <- EX; field; lra).
    split; [ | split]; (split; [eexists; eassumption | ]).
    + field; lra.
    + rewrite ER; field; lra.
    + rewrite ER; field; lra.
Qed.

(* A wide layer begins with p and rho of one length, at a right angle. *)
Definition wide (L : letters) : Prop :=
  m_0 L = 0 /\ dh2_0 L = dh2 L 0 /\ 0 < dh2_0 L /\
  sum_below (n_h L) (fun k => rho_vec_0 L k * rho_vec_0 L k)
  = sum_below (n_h L) (fun k => p_vec_0 L k * p_vec_0 L k).

Section Wide.

Variable L : letters.
Hypothesis begins : begun L.
Hypothesis runs : clock L.
Hypothesis given : vectors L.
Hypothesis of : task L.
Hypothesis shown : represented L.
Hypothesis A_low_is : eq11_2 L.
Hypothesis start_wide : wide L.

(* |p_0|^2 in the paper's letters. *)
Lemma wide_start : dh2_0 L = 2 * tau_y L * size_p L 0 /\
  size_p L 0 = sum_below (n_h L) (fun k => p_vec_0 L k * p_vec_0 L k) /\ 0 < size_p L 0.
Proof.
  destruct (given_starts L begins runs given) as (at_start & _).
  destruct (start_products L begins at_start) as (EP & _).
  destruct start_wide as (_ & E & H & _), of as (_ & _ & Hy & _).
  rewrite (shown 0) in E; split; [exact E | split; [exact EP | rewrite E in H; nra]].
Qed.

(* S_+ and S_- are both twice this, c is zero, and C is twice it. *)
Lemma wide_letters : sum2 L = 2 * size_p L 0 /\ difference2 L = 2 * size_p L 0 /\ c L = 0
  /\ C L = 2 * size_p L 0.
Proof.
  destruct (given_starts L begins runs given) as (at_start & Em), wide_start as (_ & EP & Hpos).
  destruct (start_C L begins at_start Em) as (EC & Ec & HC), (start_sums L begins) as (Ea & Eb).
  destruct start_wide as (E0 & _ & _ & ER); rewrite E0, ER, <- EP in *.
  repeat split; try lra.
  rewrite Ea, Eb in EC; nra.
Qed.

(* A_low is 2 tau_y s. *)
Lemma A_low_scaled : A_low L = 2 * tau_y L * s L /\ 0 <= s L.
Proof.
  destruct of as (Hdx & Hh & Hy & Hd & Es); unfold eqE5_5 in Es.
  assert (E := A_low_is); unfold eq11_2 in E.
  assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
  assert (Hroot : 0 < sqrt (tau_y L)) by now apply sqrt_lt_R0.
  split.
  - rewrite E, Es; replace (tau_y L) with (sqrt (tau_y L) ^ 2) at 2 by (apply pow2_sqrt; lra); field; lra.
  - rewrite Es; apply Rdiv_le_0_compat; [apply Rmult_le_pos; apply sqrt_pos | nra].
Qed.

(* The end (E57) is the long side of the triangle (E58). *)
Lemma wide_end : tau_y L * (c L + sqrt (C L ^ 2 + 4 * s L ^ 2)) = sqrt (A_low L ^ 2 + dh2_0 L ^ 2).
Proof.
  destruct wide_letters as (_ & _ & -> & ->), wide_start as (-> & _), A_low_scaled as (-> & _).
  destruct of as (_ & _ & Hy & _).
  replace ((2 * tau_y L * s L) ^ 2 + (2 * tau_y L * size_p L 0) ^ 2)
    with (tau_y L ^ 2 * ((2 * size_p L 0) ^ 2 + 4 * s L ^ 2)) by ring.
  rewrite sqrt_mult_alt, sqrt_pow2 by nra; ring.
Qed.

(* What dh has in common with its start: p.p_0 is |p_0|^2 cosh zeta, and |p|^2 is |p_0|^2 cosh 2 zeta. *)
Definition common (t : R) : R := sum_below (n_h L) (fun k => p_vec L t k * p_vec L 0 k).

(* The square of the cosine of the angle between both. *)
Lemma cosine_squared : forall t, common t ^ 2 = (size_p L t + size_p L 0) / 2 * size_p L 0.
Proof.
  intros t; destruct (given_starts L begins runs given) as (at_start & _), wide_start as (_ & EP & Hpos).
  destruct given as (H54 & _), (H54 t) as (Ep & _), start_wide as (E0 & _ & _ & ER), begins as (Em & _).
  unfold common, size_p at 1.
  rewrite (sum_of_mixtures (n_h L) (p_vec_0 L) (rho_vec_0 L) (p_vec L t) (p_vec L 0)
             (cosh (vartheta L t)) (sinh (vartheta L t)) 1 0).
  2: { intros k Hk; rewrite (Ep k Hk); ring. }
  2: { intros k Hk; destruct (at_start k Hk) as (-> & _); ring. }
  rewrite (sum_of_mixtures (n_h L) (p_vec_0 L) (rho_vec_0 L) (p_vec L t) (p_vec L t)
             (cosh (vartheta L t)) (sinh (vartheta L t)) (cosh (vartheta L t)) (sinh (vartheta L t)))
    by (intros k Hk; rewrite (Ep k Hk); ring).
  rewrite <- Em, E0, ER, <- EP; unfold cosh, sinh; rewrite exp_minus; field; apply Rgt_not_eq, exp_pos.
Qed.

(* The angle at the end is that of (E58). *)
Lemma wide_angle : 0 <= turn L <= PI / 2 ->
  tends (fun t => common t / sqrt (size_p L t * size_p L 0)) (cos (turn L)) -> eqE58_2 L.
Proof.
  intros Hturn Hcos.
  destruct wide_start as (E0 & _ & Hpos), wide_letters as (Ea & _), A_low_scaled as (EA & Hs).
  pose (D := sqrt (A_low L ^ 2 + dh2_0 L ^ 2)).
  assert (Hd : 0 < dh2_0 L) by apply start_wide.
  assert (HD2 : D ^ 2 = A_low L ^ 2 + dh2_0 L ^ 2)
    by (apply pow2_sqrt; generalize (pow2_ge_0 (A_low L)) (pow2_ge_0 (dh2_0 L)); lra).
  assert (HD : 0 < D) by (apply sqrt_lt_R0; generalize (pow2_ge_0 (A_low L)); nra).
  assert (Hy : 0 < tau_y L) by apply of.
  assert (HA : 0 <= A_low L) by (rewrite EA; nra).
  assert (Hend : tends (dh2 L) D).
  { unfold D; rewrite <- wide_end; apply distance_follows; auto; apply learned_tends; auto; lra. }
  assert (Hsquare : tends (fun t => (1 + dh2_0 L / dh2 L t) / 2) (cos (turn L) ^ 2)).
  { apply (is_lim_ext_loc
      (fun t => common t / sqrt (size_p L t * size_p L 0) * (common t / sqrt (size_p L t * size_p L 0)))).
    - destruct (is_lim_spec (dh2 L) p_infty D) as (_ & Hspec); specialize (Hspec Hend (mkposreal D HD)).
      destruct Hspec as (T & HT); exists T; intros t Ht; specialize (HT t Ht); simpl in HT.
      apply Rabs_lt_between in HT; assert (Hdh : 0 < dh2 L t) by lra.
      rewrite (shown t) in Hdh |- *; assert (Hp : 0 < size_p L t) by nra.
      rewrite E0; assert (Hprod : 0 < size_p L t * size_p L 0) by nra.
      assert (Hroot : 0 < sqrt (size_p L t * size_p L 0)) by now apply sqrt_lt_R0.
      replace (common t / sqrt (size_p L t * size_p L 0) * (common t / sqrt (size_p L t * size_p L 0)))
        with (common t ^ 2 / sqrt (size_p L t * size_p L 0) ^ 2) by (field; lra).
      rewrite cosine_squared, pow2_sqrt by lra; field; lra.
    - replace (Finite (cos (turn L) ^ 2)) with (Finite (cos (turn L) * cos (turn L))) by (f_equal; ring).
      now apply tends_times. }
  assert (Hlimit : tends (fun t => (1 + dh2_0 L / dh2 L t) / 2) ((1 + dh2_0 L / D) / 2)).
  { apply tends_over; [lra | | apply tends_constant]; apply tends_plus; [apply tends_constant | ].
    apply tends_over; [lra | apply tends_constant | exact Hend]. }
  assert (E := tends_once _ _ _ Hsquare Hlimit).
  assert (Ecos : cos (2 * turn L) = dh2_0 L / D) by (rewrite cos_2a_cos; nra).
  assert (Hsin : 0 <= sin (2 * turn L)) by (apply sin_ge_0; lra).
  assert (Esin : sin (2 * turn L) = A_low L / D).
  { assert (H := sin2_cos2 (2 * turn L)); unfold Rsqr in H; rewrite Ecos in H.
    apply Rsqr_inj; [exact Hsin | now apply Rdiv_le_0_compat | unfold Rsqr].
    replace (sin (2 * turn L) * sin (2 * turn L)) with (1 - dh2_0 L / D * (dh2_0 L / D)) by lra.
    replace (A_low L / D * (A_low L / D)) with (A_low L ^ 2 / D ^ 2) by (field; lra).
    replace (A_low L ^ 2) with (D ^ 2 - dh2_0 L ^ 2) by lra; field; lra. }
  unfold eqE58_2, tan; rewrite Esin, Ecos; field; lra.
Qed.

End Wide.

(* A wide layer ends at the triangle (E58): ||dh||^2 tends to its long side, and dh has turned by half of its
   angle. Checks (11), (E5), (E54), (E56), (E58) and (E59). *)
Theorem wide_ends_at_eqE58 : forall L, begun L -> clock L -> vectors L -> task L -> represented L ->
  eq11_2 L -> wide L ->
  (is_lim (dh2 L) p_infty (dh2_inf L) <-> eqE58_1 L) /\
  (0 <= turn L <= PI / 2 ->
   is_lim (fun t => sum_below (n_h L) (fun k => p_vec L t k * p_vec L 0 k) / sqrt (size_p L t * size_p L 0))
     p_infty (cos (turn L)) -> eqE58_2 L).
Proof.
  intros L begins runs given of shown A_low_is start_wide.
  destruct (wide_start L begins runs given of shown start_wide) as (_ & _ & Hpos).
  destruct (wide_letters L begins runs given of shown start_wide) as (Ea & _).
  destruct (A_low_scaled L of A_low_is) as (_ & Hs); split.
  - rewrite (rotation_ends_at_eqE57 L begins runs given Hs shown) by lra.
    unfold eqE57_2, eqE58_1; rewrite (wide_end L begins runs given of shown A_low_is start_wide); reflexivity.
  - now apply (wide_angle L begins runs given of shown A_low_is start_wide).
Qed.
