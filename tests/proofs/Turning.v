(* What follows from rotation's vector solution: what it conserves, the closed forms of its clock, where it
   ends, and from which starts it ends elsewhere. *)
From Coq Require Import Reals Lra Psatz Lia.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters EqE50 EqE51 EqE52 EqE53 EqE54 EqE55 EqE56 EqE57 EqE59.
From Companion Require Import Basics Limits Sums Rotation.
Open Scope R_scope.

(* In the paper's letters, p is the difference of the representations over sqrt(2 tau_y). *)
Definition represented (L : letters) : Prop := forall t, dh2 L t = 2 * tau_y L * size_p L t.

(* Along (E50) no entry of the matrix p p^T - rho rho^T changes. Checks (E50). *)
Theorem rotation_conserves : forall L T, (forall t, 0 <= t <= T -> eqE50 L t) -> 0 <= T ->
  forall i j, (i < n_h L)%nat -> (j < n_h L)%nat ->
  p_vec L T i * p_vec L T j - rho_vec L T i * rho_vec L T j
  = p_vec L 0 i * p_vec L 0 j - rho_vec L 0 i * rho_vec L 0 j.
Proof.
  intros L T moves HT i j Hi Hj.
  pose (p := fun i t => p_vec L t i); pose (r := fun i t => rho_vec L t i).
  apply (constant (fun t => p i t * p j t - r i t * r j t)); [ | exact HT].
  intros t Ht; destruct (moves t Ht) as (_ & (Hp & Ep) & Hr & Er).
  assert (Hp' : forall k, (k < n_h L)%nat -> is_derive (p k) t ((s L - m L t) * r k t))
    by (intros k Hk; apply rate; split; [now apply Hp | now apply Ep]).
  assert (Hr' : forall k, (k < n_h L)%nat -> is_derive (r k) t ((s L - m L t) * p k t))
    by (intros k Hk; apply rate; split; [now apply Hr | now apply Er]).
  assert (Hpi := Hp' i Hi); assert (Hpj := Hp' j Hj); assert (Hri := Hr' i Hi); assert (Hrj := Hr' j Hj).
  revert Hpi Hpj Hri Hrj; generalize (p i) (p j) (r i) (r j) (s L - m L t).
  intros f g h k v Hf Hg Hh Hk; auto_derive; [derivable | known_rates; ring].
Qed.

(* Along (E50), (E51) keeps its two numbers: if c and C are those of the start, they are those of every later
   moment.
   Checks (E50), (E51). *)
Theorem eqE51_conserved : forall L T, (forall t, 0 <= t <= T -> eqE50 L t) -> 0 <= T ->
  eqE51 L 0 -> eqE51 L T.
Proof.
  intros L T moves HT (Ec & EC); unfold eqE51_1 in Ec; unfold eqE51_2 in EC.
  fold (size_p L 0) (size_rho L 0) in Ec, EC.
  assert (learned_is : forall t, 0 <= t <= T -> m L t = along L t) by (intros t Ht; apply (moves t Ht)).
  rewrite learned_is in EC by lra; split; unfold eqE51_1, eqE51_2; fold (size_p L T) (size_rho L T).
  - rewrite Ec; symmetry; apply (constant (fun t => size_p L t - size_rho L t)); [ | exact HT].
    intros t Ht; destruct (moves t Ht) as (_ & Hp & Hr); destruct (products_move L t Hp Hr) as (H1 & H2 & _).
    auto_derive; [derivable | known_rates; ring].
  - rewrite EC, learned_is by lra; f_equal; symmetry.
    apply (constant (fun t => (size_p L t + size_rho L t) ^ 2 - 4 * along L t ^ 2)); [ | exact HT].
    intros t Ht; destruct (moves t Ht) as (_ & Hp & Hr); destruct (products_move L t Hp Hr) as (H1 & H2 & H3).
    auto_derive; [derivable | known_rates; ring].
Qed.

(* The root of (E52) and (E53) is |p|^2 + |rho|^2. *)
Lemma root_is : forall L t, eqE50_1 L t -> eqE51_2 L t ->
  sqrt (C L ^ 2 + 4 * m L t ^ 2) = size_p L t + size_rho L t.
Proof.
  intros L t Em EC; unfold eqE50_1 in Em; fold (along L t) in Em.
  unfold eqE51_2 in EC; fold (size_p L t) (size_rho L t) in EC.
  assert (Hplus := sum_of_squares (n_h L) (fun k => 1 * p_vec L t k + 1 * rho_vec L t k)).
  assert (Hminus := sum_of_squares (n_h L) (fun k => 1 * p_vec L t k + -1 * rho_vec L t k)).
  simpl in Hplus, Hminus; rewrite sum_mixed in Hplus, Hminus.
  fold (size_p L t) (along L t) (size_rho L t) in *.
  rewrite <- Em in *.
  assert (Hsquare : 0 <= (size_p L t + size_rho L t) ^ 2 - 4 * m L t ^ 2).
  { replace (_ - _) with ((size_p L t + size_rho L t + 2 * m L t) * (size_p L t + size_rho L t - 2 * m L t))
      by ring.
    apply Rmult_le_pos; lra. }
  rewrite EC, pow2_sqrt by exact Hsquare.
  replace (_ - _ + _) with ((size_p L t + size_rho L t) ^ 2) by ring.
  apply sqrt_pow2; lra.
Qed.

(* What has been learned moves by a differential equation of its own, (E52), where m is p.rho around a moment.
   Checks (E50), (E51) and (E52). *)
Theorem eqE52_holds : forall L t, locally t (fun t' => eqE50_1 L t') -> eqE50 L t -> eqE51 L t -> eqE52 L t.
Proof.
  intros L t Hnear (Em & Hp & Hr) (_ & EC); apply rate; rewrite (root_is L t Em EC).
  destruct (products_move L t Hp Hr) as (_ & _ & H).
  apply (is_derive_ext_loc (along L)).
  - revert Hnear; apply filter_imp; intros t' E; symmetry; exact E.
  - apply (rate_as _ _ _ _ _ H); [reflexivity | ring].
Qed.

(* The squared distance of the representations follows from what has been learned, (E53).
   Checks (E50), (E51) and (E53). *)
Theorem eqE53_holds : forall L t, represented L -> eqE50_1 L t -> eqE51 L t -> eqE53 L t.
Proof.
  intros L t Hdh Em (Ec & EC); unfold eqE53, eqE53_1; rewrite (root_is L t Em EC), (Hdh t).
  unfold eqE51_1 in Ec; fold (size_p L t) (size_rho L t) in Ec; rewrite Ec; ring.
Qed.

Section Ends.

Variable L : letters.
Hypothesis begins : begun L.
Hypothesis runs : clock L.
Hypothesis given : vectors L.

(* The vectors begin at the start. *)
Lemma given_starts : starts L /\ m L 0 = m_0 L.
Proof. destruct (vectors_begin L) as (_ & _ & Em & H); auto; apply begins. Qed.

(* (E51) holds at every moment. *)
Lemma given_E51 : forall t, 0 <= t -> eqE51 L t.
Proof.
  intros t Ht; apply eqE51_conserved; [ | exact Ht | apply begins].
  intros t' Ht'; apply rotation_solves; auto; lra.
Qed.

(* (E55) for starts with S_+ > 0. *)
Lemma given_E55 : 0 < sum2 L -> forall t, 0 <= t -> eqE55 L t.
Proof.
  intros Ha t Ht; destruct given_starts as (at_start & Em).
  destruct (start_C L begins at_start Em) as (EC & _ & _); destruct (start_signs L begins) as (_ & Hb).
  destruct given as (_ & H56); assert (E := H56 t); unfold eqE56_2 in E.
  rewrite (clock_learned L begins runs at_start Em t Ht) in E.
  unfold eqE55, eqE55_1; rewrite E, EC.
  assert (Hexp := exp_pos (2 * vartheta L t)); rewrite exp_minus; revert Hexp.
  generalize (exp (2 * vartheta L t)); intros z Hz.
  replace (sum2 L * difference2 L + 4 * ((sum2 L * z - difference2 L * / z) / 4) ^ 2)
    with (((sum2 L * z + difference2 L / z) / 2) ^ 2) by (field; lra).
  rewrite sqrt_pow2; [field; lra | ].
  assert (0 <= difference2 L / z) by (now apply Rdiv_le_0_compat); nra.
Qed.

(* The first line of (E56). *)
Lemma given_E56 : forall t, eqE56_1 L t.
Proof.
  intros t; destruct given_starts as (at_start & Em).
  destruct (start_C L begins at_start Em) as (EC & _ & _).
  destruct (start_letters L begins at_start Em) as (Em0 & Eshare & HOm & Eab).
  unfold eqE56_1; rewrite (N_product L HOm runs), EC, Em0.
  unfold rises, falls, sinh, cosh; rewrite Eshare.
  replace (exp (- (t * Omega L))) with (gone L t) by (unfold gone; f_equal; ring).
  replace (exp (t * Omega L)) with (/ gone L t) by (unfold gone; rewrite <- exp_Ropp; f_equal; ring).
  assert (Hg : 0 < gone L t) by apply exp_pos; revert Hg; generalize (gone L t); intros g Hg.
  field [Eab]; lra.
Qed.

(* Where what has been learned tends to a number, the distance of the representations does. *)
Lemma distance_follows : represented L -> forall l, tends (m L) l ->
  tends (dh2 L) (tau_y L * (c L + sqrt (C L ^ 2 + 4 * l ^ 2))).
Proof.
  intros Hdh l Hm.
  apply (is_lim_ext_loc (fun t => tau_y L * (c L + sqrt (C L ^ 2 + 4 * m L t ^ 2)))).
  - exists 0; intros t Ht; symmetry; apply eqE53_holds; auto; [ | apply given_E51; lra].
    apply rotation_solves; auto; lra.
  - apply tends_times; [apply tends_constant | ]; apply tends_plus; [apply tends_constant | ].
    apply is_lim_comp_continuous; [ | apply continuous_sqrt].
    apply tends_plus; [apply tends_constant | ]; apply tends_times; [apply tends_constant | ].
    apply (tends_as _ (fun t => m L t * m L t) _ (l * l)); [now apply tends_times | intros; ring | ring].
Qed.

(* What is gone is gone in the end, *)
Lemma gone_tends : tends (gone L) 0.
Proof. apply decays; apply begins. Qed.

(* and the two lines of the clock have their limits. *)
Lemma lines_tend : tends (rises L) (1 + share L + difference2 L / Omega L) /\
  tends (falls L) (1 - share L + sum2 L / Omega L).
Proof.
  assert (HOm : 0 < Omega L) by apply begins; assert (Hg := gone_tends).
  split.
  - apply (tends_as _ (fun t => 1 + share L + difference2 L / Omega L
      + (1 - share L - difference2 L / Omega L) * gone L t) _
      (1 + share L + difference2 L / Omega L + (1 - share L - difference2 L / Omega L) * 0)).
    + apply tends_plus; [apply tends_constant | apply tends_times; [apply tends_constant | exact Hg]].
    + intros t; unfold rises; field; lra.
    + ring.
  - apply (tends_as _ (fun t => 1 - share L + sum2 L / Omega L
      + (1 + share L - sum2 L / Omega L) * gone L t) _
      (1 - share L + sum2 L / Omega L + (1 + share L - sum2 L / Omega L) * 0)).
    + apply tends_plus; [apply tends_constant | apply tends_times; [apply tends_constant | exact Hg]].
    + intros t; unfold falls; field; lra.
    + ring.
Qed.

Hypothesis target : 0 <= s L.

(* All is learned, unless S_+ is zero. *)
Lemma learned_tends : 0 < sum2 L -> tends (m L) (s L).
Proof.
  intros Ha; destruct given_starts as (at_start & Em).
  destruct (start_letters L begins at_start Em) as (_ & Eshare & HOm & Eab).
  destruct (start_signs L begins) as (_ & Hb).
  assert (Hshare := share_between L (Rlt_le _ _ Ha) Hb Eshare HOm Eab).
  destruct lines_tend as (Hr & Hf); destruct given as (_ & H56).
  assert (Hquotient : 0 < sum2 L / Omega L) by (now apply Rdiv_lt_0_compat).
  assert (Hquotient' : 0 <= difference2 L / Omega L) by (now apply Rdiv_le_0_compat).
  assert (Hpositive : 0 <= share L) by (rewrite Eshare; apply Rdiv_le_0_compat; lra).
  apply (is_lim_ext_loc (fun t => s L + (m_0 L - s L) * (4 * gone L t / (rises L t * falls L t)))).
  - exists 0; intros t Ht; rewrite (H56 t), (N_product L HOm runs).
    destruct (both_positive L (Rlt_le _ _ Ha) Hb Eshare HOm Eab t) as (H1 & H2); [lra | ].
    assert (Hg : 0 < gone L t) by apply exp_pos; field; lra.
  - replace (Finite (s L)) with
      (Finite (s L + (m_0 L - s L) * (4 * 0 / ((1 + share L + difference2 L / Omega L)
                                               * (1 - share L + sum2 L / Omega L)))))
      by (f_equal; field; repeat split; nra).
    apply tends_plus; [apply tends_constant | apply tends_times; [apply tends_constant | ]].
    apply tends_over; [apply Rgt_not_eq, Rmult_lt_0_compat; lra | | now apply tends_times].
    apply tends_times; [apply tends_constant | apply gone_tends].
Qed.

(* Where S_+ is zero rho begins at - p, *)
Lemma opposed : sum2 L = 0 <-> forall i, (i < n_h L)%nat -> rho_vec_0 L i = - p_vec_0 L i.
Proof.
  destruct begins as (_ & Ea & _); rewrite Ea; split.
  - intros E i Hi; assert (H := sum_of_squares_zero _ _ E i Hi); simpl in H; lra.
  - intros H; rewrite (sum_as _ _ (fun k => 0 * (p_vec_0 L k * p_vec_0 L k))); [rewrite sum_scaled; ring | ].
    intros k Hk; rewrite (H k Hk); ring.
Qed.

(* and all is lost. *)
Lemma lost : sum2 L = 0 -> tends (m L) 0 /\ C L = 0 /\ c L = 0.
Proof.
  intros Ea; destruct given_starts as (at_start & Em).
  destruct (start_letters L begins at_start Em) as (Em0 & Eshare & HOm & Eab).
  destruct (start_C L begins at_start Em) as (EC & Ec & HC).
  destruct lines_tend as (Hr & _); destruct given as (_ & H56); destruct (start_signs L begins) as (_ & Hb).
  assert (EOm : Omega L = 2 * s L) by (rewrite Ea in Eab; nra).
  assert (Hs : 0 < s L) by lra.
  assert (Hpart : 0 <= difference2 L / Omega L) by (now apply Rdiv_le_0_compat).
  assert (Eone : share L = 1) by (rewrite Eshare, EOm; field; lra).
  split; [ | split].
  - apply (is_lim_ext_loc (fun t => s L + (m_0 L - s L) * (2 / rises L t))).
    + exists 0; intros t Ht; rewrite (H56 t), (N_product L HOm runs).
      destruct (both_positive L (Req_le _ _ (eq_sym Ea)) Hb Eshare HOm Eab t) as (H1 & H2); [lra | ].
      assert (Hg : 0 < gone L t) by apply exp_pos.
      replace (falls L t) with (2 * gone L t) by (unfold falls; rewrite Ea, Eone; field; lra).
      field; lra.
    + replace (Finite 0) with
        (Finite (s L + (m_0 L - s L) * (2 / (1 + share L + difference2 L / Omega L)))).
      * apply tends_plus; [apply tends_constant | apply tends_times; [apply tends_constant | ]].
        apply tends_over; [ | apply tends_constant | exact Hr]; lra.
      * f_equal; rewrite Eone, Em0, Ea, EOm; field; rewrite EOm in Hpart; split; [ | lra].
        assert (0 <= difference2 L) by exact Hb; lra.
  - rewrite Ea, Rmult_0_l in EC; nra.
  - rewrite Ec; assert (H := proj1 opposed Ea).
    rewrite (sum_as _ (fun k => rho_vec_0 L k * rho_vec_0 L k) (fun k => p_vec_0 L k * p_vec_0 L k)).
    + ring.
    + intros k Hk; rewrite (H k Hk); ring.
Qed.

End Ends.

(* The angle as a function of what has been learned is (E55), where S_+ is not zero.
   Checks (E54), (E55), (E56) and (E59). *)
Theorem eqE55_holds : forall L, begun L -> clock L -> vectors L -> 0 < sum2 L ->
  forall t, 0 <= t -> eqE55 L t.
Proof. exact given_E55. Qed.

(* The clock for a machine, (E59), is the clock (E56). Checks (E56), (E59). *)
Theorem eqE56_holds : forall L, begun L -> clock L -> vectors L -> forall t, eqE56 L t.
Proof. intros L begins runs given t; split; [now apply given_E56 | apply given]. Qed.

(* All is learned in the end, from every start with S_+ > 0. Checks (E54), (E56) and (E59). *)
Theorem rotation_learns_all : forall L, begun L -> clock L -> vectors L -> 0 <= s L -> 0 < sum2 L ->
  is_lim (m L) p_infty (s L).
Proof. exact learned_tends. Qed.

(* From every start with S_+ > 0, the squared distance of the representations has a limit, and the number
   dh2_inf is this limit if and only if it is (E57).
   Checks (E54), (E56), (E57) and (E59). *)
Theorem rotation_ends_at_eqE57 : forall L, begun L -> clock L -> vectors L -> 0 <= s L -> represented L ->
  0 < sum2 L -> (is_lim (dh2 L) p_infty (dh2_inf L) <-> eqE57_2 L).
Proof.
  intros L begins runs given Hs Hdh Ha.
  assert (Hlim := distance_follows L begins runs given Hdh (s L) (learned_tends L begins runs given Hs Ha)).
  unfold eqE57_2; split.
  - intros H; exact (tends_once _ _ _ H Hlim).
  - intros ->; exact Hlim.
Qed.

(* The starts with S_+ = 0 are those with rho_0 = - p_0: from them nothing is learned, and the representations
   come together. Checks (E54), (E56) and (E59). *)
Theorem rotation_excluded : forall L, begun L -> clock L -> vectors L -> 0 <= s L -> represented L ->
  (sum2 L = 0 <-> forall i, (i < n_h L)%nat -> rho_vec_0 L i = - p_vec_0 L i) /\
  (sum2 L = 0 -> is_lim (m L) p_infty 0 /\ is_lim (dh2 L) p_infty 0).
Proof.
  intros L begins runs given Hs Hdh; split; [now apply opposed | intros Ea].
  destruct (lost L begins runs given Hs Ea) as (Hm & EC & Ec); split; [exact Hm | ].
  assert (H := distance_follows L begins runs given Hdh 0 Hm); rewrite EC, Ec in H.
  apply (tends_as _ _ _ _ H); [reflexivity | ].
  replace (0 ^ 2 + 4 * 0 ^ 2) with 0 by ring; rewrite sqrt_0; ring.
Qed.
